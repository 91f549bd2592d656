"""The classical detectors beside a run: on which rows they are fitted, and what comes back."""

import numpy as np
import pytest

from ad_core.data.item_set import Split
from ad_core.errors import Cancelled
from ad_core.methods.reference import REFERENCES
from ad_core.progress import Silent
from ad_core.training import references
from ad_core.training.fit import Fit
from ad_core.training.references import classical_scores, references_for
from ad_core.types import Modality
from tests.contracts import items

TABLE, SPLIT = items.item_set(Modality.TABLE), items.split()


class Heard(Silent):
    def __init__(self, checks: int = 1000) -> None:
        self.said: list[str] = []
        self.checks = checks

    def say(self, message: str) -> None:
        self.said.append(message)

    def check(self) -> None:
        self.checks -= 1
        if self.checks < 0:
            raise Cancelled("Stopped.")


def nearest(rows: np.ndarray) -> np.ndarray:
    cls = REFERENCES.get("nearest_neighbours")
    reference = cls(cls.Settings(), 0)
    reference.fit(rows)
    return reference.score(TABLE.x)


def test_tables_are_shown_beside_all_references_and_the_rest_beside_those_that_suit():
    assert set(references_for(Modality.TABLE)) == set(REFERENCES.names(Modality.TABLE))
    assert (
        {"patch_nearest_neighbours", "patch_gaussian"} < set(references_for(Modality.IMAGE)) < set(REFERENCES.names())
    )
    assert {"mahalanobis", "seasonal_naive"} < set(references_for(Modality.SENSOR)) < set(REFERENCES.names())


@pytest.mark.parametrize("modality", list(Modality))
def test_every_row_has_a_finite_score_by_every_reference_and_each_took_some_time(modality):
    item_set, names = items.item_set(modality), list(references_for(modality))

    table, seconds = classical_scores(Fit(item_set, SPLIT))

    assert list(table.columns) == ["row_id", *names]
    assert table["row_id"].tolist() == item_set.rows["row_id"].tolist()
    assert np.isfinite(table[names]).all(axis=None)
    assert list(seconds) == names
    assert all(took > 0 for took in seconds.values())


def test_references_learn_from_every_row_that_may_teach_and_from_no_other():
    part = Split(SPLIT.fit[:30], SPLIT.early_stop[:5], SPLIT.calibration[:5])
    taught = np.concatenate([part.fit, part.early_stop, part.calibration])

    table, _ = classical_scores(Fit(TABLE, part))

    np.testing.assert_allclose(table["nearest_neighbours"], nearest(TABLE.x[taught]), rtol=1e-5)
    assert not np.allclose(table["nearest_neighbours"], nearest(TABLE.x[part.fit]))


def test_of_very_many_items_a_sample_is_scored_and_it_is_said(monkeypatch):
    whole, _ = classical_scores(Fit(TABLE, SPLIT))
    monkeypatch.setitem(references.MOST_ITEMS, Modality.TABLE, 40)
    report = Heard()

    table, _ = classical_scores(Fit(TABLE, SPLIT, report=report))

    assert report.said == ["The classical detectors score a random sample of 40 of 96 items."]
    known = table["histogram"].notna()
    assert known.sum() == 40
    assert known.equals(table["isolation_forest"].notna())
    for name in references_for(Modality.TABLE):
        np.testing.assert_allclose(table.loc[known, name], whole.loc[known, name], rtol=1e-5)


def test_it_stops_when_the_report_says_so():
    with pytest.raises(Cancelled):
        classical_scores(Fit(TABLE, SPLIT, report=Heard(checks=2)))
