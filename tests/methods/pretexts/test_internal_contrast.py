"""Internal contrast: pieces, their rests, the surprise by hand, and which column it is led back to."""

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretexts import internal_contrast
from ad_core.methods.pretexts.internal_contrast import InternalContrast, InternalContrastSettings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind, Parts
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

DRAW = Draw.shared(0)


@pytest.fixture(scope="module")
def task():
    return trained(InternalContrast, Modality.TABLE, steps=150).task


@pytest.fixture
def x():
    return items.item_set(Modality.TABLE).take(np.arange(64, 96))


def numbers(d: int) -> ItemShape:
    names = tuple(f"c{i}" for i in range(d))
    parts = Parts(names=names, of_entry=tuple(range(d)), kinds=(PartKind.NUMBER,) * d, units=(None,) * d)
    return ItemShape(modality=Modality.TABLE, size=(d,), parts=parts)


def untrained(shape: ItemShape, **settings) -> InternalContrast:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return InternalContrast(InternalContrastSettings(**settings), shape, build_encoder("flat", shape)).eval()


def test_the_surprise_is_the_one_worked_out_by_hand():
    """The row (3, 4, 0) in its own order has pieces (3, 4) and (4, 0) with rests 0 and 3; f(b) = (b, 1), g(a) = a."""
    task, row = untrained(numbers(3), shuffles=1, temperature=0.5, size=2), torch.tensor([[3.0, 4.0, 0.0]])
    task.orders, pair = torch.arange(3)[None], task.pairs[0]
    pair.f, pair.g = torch.nn.Linear(1, 2), torch.nn.Identity()
    with torch.no_grad():
        pair.f.weight.copy_(torch.tensor([[1.0], [0.0]]))
        pair.f.bias.copy_(torch.tensor([0.0, 1.0]))

    with torch.no_grad():
        score, loss, parts = task.score(row, DRAW), task.loss(Batch(row), DRAW), task.part_scores(row, DRAW)

    f = np.array([[0, 1 / 2**0.5], [1, 1 / 2**0.5]])  # (0, 1) and (3, 1), each number over its length over both pieces
    g = np.array([[3 / 5, 1], [4 / 5, 0]])
    f, g = f / np.sqrt((f**2).sum(1, keepdims=True)), g / np.sqrt((g**2).sum(1, keepdims=True))
    h = np.exp(f @ g.T / 0.5)
    expected = [-np.log(h[0, 0] / (h[0, 0] + h[0, 1])), -np.log(h[1, 1] / (h[1, 0] + h[1, 1]))]
    assert score.item() == loss.item() == pytest.approx(np.mean(expected), rel=1e-5)
    columns = [expected[0], np.mean(expected), expected[1]]  # the middle one is in both pieces
    torch.testing.assert_close(parts, torch.tensor([columns], dtype=torch.float32))


def test_a_piece_and_its_rest_make_up_the_row_at_every_position():
    task = untrained(numbers(50))
    row = torch.arange(50.0)[None]

    for shuffle in range(3):
        rest, piece = task._cut(row, shuffle)

        assert piece.shape == (1, 41, 10)
        assert (torch.cat([piece, rest], 2).sort(2).values == row).all()


def test_the_shuffles_differ_and_are_kept_with_the_weights():
    task = untrained(numbers(50))

    assert "orders" in task.state_dict()
    assert len(task.orders.unique(dim=0)) == 3


@pytest.mark.parametrize(
    ("entries", "width"), [(3, 2), (40, 2), (41, 10), (160, 10), (161, 11), (240, 90), (241, 41), (480, 280), (481, 81)]
)
def test_the_width_of_a_piece_follows_from_the_entries(entries, width):
    assert internal_contrast._width(entries) == width


def test_there_are_never_more_pieces_than_the_source_compares():
    assert max(d - internal_contrast._width(d) + 1 for d in range(3, 3000)) <= 1000


def test_rows_of_two_entries_are_refused_in_words():
    with pytest.raises(
        MethodError, match=r"needs at least 3 encoded entries, but these rows have 2\. Use more columns"
    ):
        untrained(numbers(2))


def test_scores_and_gradients_are_the_same_whatever_is_worked_on_at_a_time(task, x, monkeypatch):
    x = x.requires_grad_()
    whole = task.score(x, DRAW)
    slope = torch.autograd.grad(whole.sum(), x)[0]

    monkeypatch.setattr(internal_contrast, "NUMBERS_AT_A_TIME", 5 * 6 * 128)  # five rows
    pieces = task.score(x, DRAW)

    torch.testing.assert_close(pieces, whole, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.autograd.grad(pieces.sum(), x)[0], slope, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(task.embed(x), torch.cat([task.embed(part) for part in x.split(7)]))


def test_it_ranks_rows_that_break_the_pattern_over_usual_ones(task):
    """Column b is the negative of a and c follows a; in the broken rows both have the wrong sign."""
    usual, broken = odd_rows.clearly_broken()

    assert odd_rows.auroc(task, usual, broken) > 0.8


def test_a_column_that_contradicts_the_others_gains_more_surprise_than_they_do():
    """Three columns each follow one of three hidden causes, so the two sound ones of a cause outvote the broken one."""
    task, random = untrained(numbers(9), shuffles=2), torch.Generator().manual_seed(0)
    rows = torch.randn(128, 3, generator=random).repeat(1, 3) + 0.1 * torch.randn(128, 9, generator=random)
    optimiser = torch.optim.Adam(task.parameters(), 3e-3)
    for _ in range(80):
        optimiser.zero_grad()
        task.loss(Batch(rows), DRAW).mean().backward()
        optimiser.step()

    gains = torch.zeros(9, 9)
    with torch.no_grad():
        usual = task.part_scores(rows, DRAW)
        for column in range(9):
            broken = rows.clone()
            broken[:, column] = rows[:, column].roll(1)
            gains[column] = (task.part_scores(broken, DRAW) - usual).mean(0)

    of_others = (gains.sum(1) - gains.diagonal()) / 8
    assert (gains.diagonal() > of_others).sum() >= 6
    assert gains.diagonal().mean() > 1.15 * of_others.mean()


@pytest.mark.parametrize("times", [5, 10, 30])
def test_rows_far_off_score_above_nearly_all_usual_ones(task, x, times):
    towards = torch.nn.functional.normalize(torch.randn(200, 7, generator=torch.Generator().manual_seed(0)), dim=1)

    with torch.no_grad():
        usual, far = task.score(x, DRAW), task.score(times * towards * 7**0.5, DRAW)

    assert (far > usual.quantile(0.9)).float().mean() > 0.9
