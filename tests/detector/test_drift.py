"""When what was guaranteed of alerts no longer holds for a new file."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ad_core.alerts.guarantee import Drifted
from ad_core.cli.app import app
from ad_core.data.histograms import histograms_of
from ad_core.detector import drift, drift_gate
from ad_core.errors import DataError
from ad_core.pipeline import load_detector, open_dataset, open_like, train
from ad_core.types import Modality
from tests.contracts import items


def shop(n: int, seed: int, *, mean: float = 0.0, shops: str = "abc") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame({"amount": random.normal(mean, 1, n), "shop": random.choice(list(shops), n)})


def gate(new: pd.DataFrame) -> drift_gate.Gate:
    reference = open_dataset(shop(2000, 0), kinds={"shop": "category"})
    return drift.of_columns(drift.histograms_of_training(reference), new)


def test_rows_of_the_same_kind_keep_the_guarantee():
    found = gate(shop(500, 1))

    assert found.state == "same"
    assert not (found.outside != "").any()
    assert "are like those" in found.sentence


def test_a_moved_column_withdraws_the_guarantee_and_is_named():
    found = gate(shop(500, 1, mean=1.5))

    assert found.state == "withdrawn"
    assert "most in amount" in found.sentence
    assert json.loads(json.dumps(found.facts()))["columns"][0]["column"] == "amount"


def test_a_little_drift_is_watched():
    found = gate(shop(4000, 1, mean=0.4))

    assert found.state == "watch"
    assert "may differ somewhat from the guaranteed ones" in found.sentence


def test_rows_of_a_shop_that_was_never_seen_lose_the_guarantee_alone():
    new = shop(500, 1)
    new.loc[:149, "shop"] = "z"

    found = gate(new)

    assert found.state == "withdrawn for some rows"
    assert (found.outside[:150] == "shop z was never seen").all()
    assert (found.outside[150:] == "").all()
    assert found.sentence.startswith("150 rows hold values")


def test_another_spelling_of_a_shop_is_no_new_shop_and_no_drift():
    """As the detector encodes it: before, all rows lost the guarantee although `A` was scored as `a` or the reverse."""
    new = shop(500, 1)
    new["shop"] = new["shop"].str.upper() + " "

    found = gate(new)

    assert found.state == "same"
    assert (found.outside == "").all()


def test_another_word_for_true_is_no_new_value():
    random = np.random.default_rng(0)
    reference = open_dataset(shop(2000, 0).assign(paid=random.random(2000) < 0.5))
    new = shop(500, 1).assign(paid=np.where(random.random(500) < 0.5, "yes", "No"))

    found = drift.of_columns(histograms_of(reference.data, reference.schema), new)

    assert (found.outside == "").all()
    assert found.columns.set_index("column")["verdict"]["paid"] == "stable"


def test_a_number_that_a_file_writes_as_a_float_is_no_new_category():
    reference = open_dataset(shop(2000, 0, shops="123"), kinds={"shop": "category"})

    found = drift.of_columns(
        histograms_of(reference.data, reference.schema), shop(500, 1, shops="123").astype({"shop": float})
    )

    assert found.state == "same"


def test_a_missing_category_is_no_new_one():
    new = shop(500, 1)
    new.loc[0, "shop"] = None

    assert gate(new).outside[0] == ""


@pytest.fixture(scope="module")
def september() -> pd.DataFrame:
    """Payments in the order of their dates; the amount is higher at noon."""
    random = np.random.default_rng(0)
    paid_at = pd.Series(pd.date_range("2025-09-01", periods=1200, freq="36min"))
    hour = paid_at.dt.hour + paid_at.dt.minute / 60
    amount = 50 - 2 * (hour - 12).abs() + random.normal(0, 2, 1200)
    return pd.DataFrame({"paid_at": paid_at, "amount": amount, "shop": random.choice(list("abc"), 1200)})


def october(september: pd.DataFrame) -> pd.DataFrame:
    moved = september.assign(paid_at=september["paid_at"] + pd.Timedelta(days=35))
    return moved.assign(amount=moved["amount"] + np.random.default_rng(1).normal(0, 0.1, len(moved)))


def test_a_running_date_that_is_used_withdraws_the_guarantee_for_the_next_month(september, tmp_path):
    """The same payments 35 days later: by default nothing has changed, with the elapsed time everything has."""
    for name, use in (("calendar", []), ("elapsed", ["paid_at"])):
        dataset = open_dataset(september, use=use, modality="table")
        train(dataset, "nearest_neighbours", training_rows="clean").save(tmp_path / name)
    later = october(september)

    states = {}
    for name in ("calendar", "elapsed"):
        detector = load_detector(tmp_path / name)
        new = open_like(detector, later)
        scores = detector.score(new)
        states[name] = (detector.compared(scores, new), detector.alerts(scores, new))

    found, alerts = states["calendar"]
    assert (found.state, alerts.guarantee.holds) == ("same", True)
    found, alerts = states["elapsed"]
    assert found.state == "withdrawn"
    assert "'paid_at' (100% of its values)" in found.sentence
    assert "or without 'paid_at'" in found.sentence
    assert (found.withdrawn != "").all()
    assert isinstance(alerts.guarantee.reasons[0], Drifted)
    assert not alerts.guarantee.holds
    assert alerts.guarantee.expected is None
    assert alerts.sentence.startswith("Nothing is guaranteed, because the drift check withdraws every new row. Beyond")


def test_one_drift_check_serves_python_and_the_shell(september, tmp_path):
    train(open_dataset(september, modality="table"), "nearest_neighbours", training_rows="clean").save(
        tmp_path / "bundle"
    )
    october(september).assign(shop=["z"] * 30 + september["shop"][30:].tolist()).to_csv(
        tmp_path / "october.csv", index=False
    )
    detector = load_detector(tmp_path / "bundle")
    new = open_like(detector, [tmp_path / "october.csv"])
    alerts = detector.alerts(detector.score(new), new)
    call = ["score", str(tmp_path / "bundle"), str(tmp_path / "october.csv"), "--out", str(tmp_path / "s.parquet")]

    told = CliRunner().invoke(app, call, catch_exceptions=False)

    written = pd.read_parquet(tmp_path / "s.parquet")
    assert (written["withdrawn"] == "shop z was never seen").sum() == 30
    assert written["alert"].tolist() == alerts.of_rows.tolist()
    assert "30 rows hold values that were never seen" in told.stderr
    assert alerts.sentence in told.stderr
    assert "It does not cover 30 rows that the drift check withdraws (shop z was never seen)" in alerts.sentence
    assert alerts.guarantee.rows.new == 1170


def test_a_bundle_without_histograms_says_that_the_columns_could_not_be_compared(september):
    detector = replace(
        train(open_dataset(september, modality="table"), "nearest_neighbours", training_rows="clean"), histograms=None
    )
    new = open_like(detector, october(september))
    scores = detector.score(new)

    assert detector.compared(scores, new).state == "unknown"
    assert "could not be checked column by column" in detector.alerts(scores, new).sentence
    higher = detector.compared(scores.assign(score=scores["score"] * 3), new)
    assert higher.state == "withdrawn"  # the scores can be compared all the same
    assert "normal rows score higher" in higher.sentence


def test_normal_rows_that_score_higher_withdraw_the_guarantee_though_no_column_has_moved():
    """Eight columns that agree well in training and a little less later: each by itself is as before."""

    def rows(n: int, noise: float, seed: int) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        common = random.normal(size=(n, 1)) * np.sqrt(1 - noise**2)
        return pd.DataFrame(common + noise * random.normal(size=(n, 8)), columns=list("abcdefgh"))

    detector = train(open_dataset(rows(2000, 0.5, 0)), "nearest_neighbours")
    states = {}
    for noise in (0.5, 0.62):
        new = open_like(detector, rows(1000, noise, 1))
        scores = detector.score(new)
        states[noise] = (detector.compared(scores, new), detector.alerts(scores, new))

    assert states[0.5][0].state == "same"
    found, alerts = states[0.62]
    assert set(found.columns["verdict"]) == {"stable"}
    assert found.state == "withdrawn"
    assert found.shift is not None
    assert "normal rows score higher" in alerts.sentence


def test_many_high_scores_are_said_where_they_can_not_be_told_from_anomalies():
    """Of a third of the rows the columns contradict each other; the others are as before."""
    random = np.random.default_rng(0)

    def rows(n: int, contradicting: float) -> pd.DataFrame:
        x, sign = random.normal(size=n), np.where(random.random(n) < contradicting, -1, 1)
        return pd.DataFrame({"x": x, "y": sign * x + random.normal(0, 0.3, n)})

    detector = train(open_dataset(rows(2000, 0)), "nearest_neighbours")
    new = open_like(detector, rows(1500, 0.3))
    scores = detector.score(new)
    found = detector.compared(scores, new)

    assert found.state == "watch"
    assert "of the rows score higher than 95% of the calibration rows do" in found.sentence
    assert detector.alerts(scores, new).guarantee.holds


def test_a_file_full_of_anomalies_keeps_the_guarantee_for_the_others():
    """Two of three rows are far out in both columns: the columns differ, the normal rows don't."""
    random = np.random.default_rng(0)
    detector = train(
        open_dataset(pd.DataFrame(random.normal(size=(1000, 2)), columns=["a", "b"])), "nearest_neighbours"
    )
    x = random.normal(size=(600, 2))
    x[:400] += 9
    new = open_like(detector, pd.DataFrame(x, columns=["a", "b"]))
    scores = detector.score(new)

    found, alerts = detector.compared(scores, new), detector.alerts(scores, new)

    assert found.state == "watch"
    assert "but only by rows that score high" in found.sentence
    assert alerts.guarantee.holds
    moved = open_like(detector, pd.DataFrame(x[:400], columns=["a", "b"]))  # no row is like the training rows
    assert detector.compared(detector.score(moved), moved).state == "withdrawn"


def test_some_rows_of_a_scored_file_are_compared_by_themselves(september):
    detector = train(open_dataset(september, modality="table"), "nearest_neighbours", training_rows="clean")
    new = open_like(detector, september.assign(shop=["z"] * 600 + september["shop"][600:].tolist()))
    scores = detector.score(new)

    found = detector.compared(scores.iloc[::-2], new)

    assert len(found.outside) == 600
    assert (found.outside != "").tolist() == [False] * 300 + [True] * 300
    assert detector.alerts(scores.iloc[::-2], new).guarantee.rows.withdrawn.rows == 300
    with pytest.raises(DataError, match="1 of 1,200 scores belong to no row"):
        detector.compared(scores.assign(row_id=["?", *scores["row_id"][1:]]), new)


def test_darker_images_withdraw_the_guarantee():
    """Images of the same kind pass; the same at a third of the light do not."""
    item_set = items.item_set(Modality.IMAGE)
    usual = item_set.take(slice(0, 96)).numpy()
    darker = replace(item_set, x=(item_set.x / 3).astype(item_set.x.dtype))

    assert drift.of_images(usual, item_set).state == "same"
    found = drift.of_images(usual, darker)

    assert found.state == "withdrawn"
    assert "brightness" in found.sentence
