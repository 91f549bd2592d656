"""Every row of the samples has one score: the list, its explanation and what-if agree on it."""

from functools import cache

import numpy as np
import pytest

from ad_core.data.dataset import Dataset
from ad_core.data.sample_datasets import samples
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_items, highest_rows, items_of_rows
from ad_core.explain.what_if import AS_IT_IS, editable, what_if
from ad_core.pipeline import Choice, Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.training.fit import per_item
from ad_core.types import Modality

FEW = {"pretext": {"features": "own", "copies": 40, "steps": 40, "images": 40}, "reader": {"size": 48}}
"""Settings that make a training on images short."""

TABLES = [s.name for s in samples() if s.modality is Modality.TABLE]
ROUNDING = 1e-3
"""Relative: scores are computed in batches of other sizes, and the slope of a normalised tail multiplies rounding."""


@cache
def trained(name: str) -> tuple[Dataset, Trained]:
    chosen = next(s for s in samples() if s.name == name)
    dataset = open_dataset(list(chosen.train), modality=chosen.modality, **chosen.declared)
    settings = FEW if chosen.modality is Modality.IMAGE else {}
    return dataset, train_all(dataset, Choice(settings=settings), Silent(), references=False)


CASES = [(s.name, None) for s in samples()] + [(name, "feature_ablation") for name in TABLES]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_the_explanations_of_the_ten_highest_rows_add_up_to_the_score_shown(name, method):
    """Baseline, bars and completeness gap give the score: of the row or image, or of the window around a time stamp."""
    dataset, found = trained(name)
    row_ids = highest_rows(found.scores, None, 10)
    items = items_of_rows(found.item_set, row_ids, per_item(found.item_scores))
    shown = found.scores.set_index("row_id").loc[row_ids, "score"].to_numpy()
    if dataset.modality is Modality.SENSOR:
        shown = per_item(found.item_scores)[items]

    explained = explain_items(found.detector, dataset, found.item_set, items, row_ids, How(method), Silent())

    checks, parts = explained.checks.set_index("row_id").loc[row_ids], explained.parts.groupby("row_id")
    np.testing.assert_allclose(checks["score"], shown, rtol=ROUNDING)
    rest = checks["score"] - checks["baseline_score"] - parts["attribution"].sum()[row_ids]
    np.testing.assert_allclose(rest.abs(), parts["delta"].first()[row_ids], rtol=1e-3, atol=1e-3 * np.abs(shown).max())


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_hardly_changed_keeps_its_score_in_what_if(name):
    """One number of each of the ten highest rows is changed by a thousandth of its range in the data."""
    dataset, found = trained(name)
    scores, detector = found.scores.set_index("row_id")["score"], found.detector
    numbers = [c for c in editable(detector, dataset).values() if c.kind == "number" and not c.levels]

    for row_id in highest_rows(found.scores, None, 10):
        cells = dataset.data.iloc[int(np.flatnonzero(dataset.rows["row_id"] == row_id)[0])]
        column = next(c for c in numbers if np.isfinite(cells[c.name]))
        near = column.rounded(float(cells[column.name]) + (column.high - column.low) / 1000)
        lines = what_if(detector, dataset, row_id, [{column.name: near}])
        assert lines["try"].iloc[0] == AS_IT_IS
        assert lines["score"].iloc[0] == pytest.approx(scores[row_id], rel=ROUNDING)
        assert lines["score"].iloc[1] == pytest.approx(scores[row_id], rel=0.1)  # with itself 20 to 60 % lower
