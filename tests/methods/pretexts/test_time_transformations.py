"""Time transformations: the copies on paper, the weighted score by hand, and what is said of symmetric recordings."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.training.fit import Fit, TrainingSettings, train_task
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("time_transformations")
DRAW = Draw.shared(0)


def built(size: tuple[int, int] = (2, 32), **values):
    settings = CLS.Settings(**values)
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": size})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CLS(settings, shape, build_encoder("dilated_conv", shape, CLS.encoder_settings(settings, shape))).eval()


def of_windows(x: np.ndarray) -> ItemSet:
    """(n, channel, time) windows, each on its own."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": x.shape[1:]})
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(len(x))], "sample": np.arange(len(x)), "note": ""})
    return ItemSet(shape, x.astype(np.float32), pd.DataFrame({"start": np.arange(len(x))}), rows)


def test_each_copy_is_what_its_name_says():
    task, x = built((3, 2), scale=3.0), torch.tensor([[[1.0, 2], [3, 4], [5, 6]]])

    copies = dict(zip(task.names, task._all_copies(x)[0].long().tolist(), strict=True))

    assert copies == {
        "nothing done": [[1, 2], [3, 4], [5, 6]],
        "time reversal": [[2, 1], [4, 3], [6, 5]],
        "sign flip": [[-1, -2], [-3, -4], [-5, -6]],
        "scale": [[3, 6], [9, 12], [15, 18]],
        "channel swap": [[5, 6], [1, 2], [3, 4]],
    }


@pytest.mark.parametrize("channels", range(2, 8))
def test_no_channel_stays_where_it_is_in_the_swap(channels):
    x = torch.arange(float(channels)).view(1, channels, 1)

    assert (built((channels, 8))._all_copies(x)[0, -1] != x[0]).all()


def test_one_channel_is_not_asked_about_swaps():
    task = built((1, 32))

    assert "channel swap" not in task.names
    assert task._all_copies(torch.zeros(2, 1, 32)).shape == (2, 4, 1, 32)


def test_a_network_that_knows_nothing_loses_the_logarithm_of_5():
    task, x = built(), torch.randn(6, 2, 32)
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((6,), math.log(5)))
        torch.testing.assert_close(task.score(x, DRAW), torch.full((6,), math.log(5)))


def test_the_score_is_the_weighted_mean_surprise_by_hand():
    """A head that answers 1, 0, 0, 0 whatever it sees: log(e + 3) less 1 for the first, less 0 for the others."""
    task = built((1, 32))
    torch.nn.init.zeros_(task.head.weight)
    task.weights = torch.tensor([3.0, 0.5, 0.5, 0.0])
    with torch.no_grad():
        task.head.bias.copy_(torch.tensor([1.0, 0, 0, 0]))

        score = task.score(torch.randn(1, 1, 32), DRAW).item()

    assert score == pytest.approx(math.log(math.e + 3) - 0.75, rel=1e-5)


def test_windows_turned_back_or_upside_down_score_higher():
    """Sines whose second channel leads: backwards it lags."""
    task, x = trained(CLS, Modality.SENSOR, steps=150).task, items.item_set(Modality.SENSOR).take(np.arange(80, 92))

    with torch.no_grad():
        usual, backwards = task.score(x, DRAW), task.score(x.flip(2), DRAW)

    assert backwards.mean() > usual.mean()


def test_what_windows_look_the_same_under_counts_less_and_is_named():
    """A sine of random phase is the same sine backwards and upside down; twice its size it is not."""
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, (400, 1, 1))
    x = np.sin(np.arange(32) / 3 + phase)
    frame, task = of_windows(x), built((1, 32))
    split = Split(np.arange(300), np.arange(300, 400), np.arange(0))

    summary = train_task(task, Fit(frame, split), TrainingSettings(max_steps=80, batch_size=32))

    weights = dict(zip(task.names, task.weights.tolist(), strict=True))
    assert weights["scale"] > 0.9
    assert sum(weights.values()) - weights["scale"] < 1.2  # three look alike: a third of each is recognised by chance
    (sentence,) = summary.notices
    assert sentence.startswith("Hardly recognised on 100 held-out windows, and counted less in the score: ")
    assert "scale" not in sentence.split(":")[1]


def test_weights_are_part_of_the_bundle():
    assert "weights" in built().state_dict()
