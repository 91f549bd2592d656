"""What if: an edited row scores as it would if it stood so in the file."""

from dataclasses import replace

import pytest

from ad_core import pipeline
from ad_core.errors import DataError
from ad_core.explain.what_if import AS_IT_IS, RESCORED, what_if
from ad_core.progress import Silent

CHANGES = {"amount [EUR]": "31.5", "hour": "11"}


@pytest.fixture(scope="module")
def opened(payments_file):
    return pipeline.open_dataset(payments_file, label="is_fraud", id="payment")


def test_an_edited_row_scores_as_it_would_in_the_file(trained_on_payments, opened, tmp_path):
    detector = trained_on_payments.detector
    found = what_if(detector, opened, "P00299", [CHANGES], begin=1.0)

    edited = opened.data.copy()
    edited.loc[edited["payment"] == "P00299", ["amount [EUR]", "hour"]] = [31.5, 11.0]
    edited.to_csv(tmp_path / "edited.csv", index=False)
    scores = detector.score(pipeline.open_like(detector, tmp_path / "edited.csv")).set_index("row_id")
    before = trained_on_payments.scores.set_index("row_id")
    assert found["try"].tolist() == [AS_IT_IS, "amount [EUR] 4,980 → 31.5, hour 3 → 11"]
    assert found["score"].tolist() == pytest.approx(
        [before.at["P00299", "score"], scores.at["P00299", "score"]], rel=1e-4
    )
    assert found["p_value"].iloc[1] == scores.at["P00299", "p_value"] > found["p_value"].iloc[0]
    assert found["alert"].tolist() == [True, bool(scores.at["P00299", "score"] >= 1.0)]


def test_several_tries_do_not_touch_each_other(trained_on_payments, opened):
    detector = trained_on_payments.detector
    both = what_if(detector, opened, "P00299", [{"hour": "11"}, {"shop": "travel"}])
    alone = what_if(detector, opened, "P00299", [{"shop": "travel"}])

    assert both["score"].iloc[2] == pytest.approx(alone["score"].iloc[1], rel=1e-5)
    assert both["score"].iloc[1] != both["score"].iloc[0]
    assert both["alert"].isna().all()  # nobody said where alerts begin


def test_a_changed_row_that_taught_is_not_compared_with_what_it_was(payments_file):
    opened = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    detector = pipeline.train_all(opened, pipeline.Choice(pretext="balanced"), Silent(), references=False).detector
    row = str(detector.out_of_bag["row_id"].iloc[3])
    cell = float(opened.data.set_index("payment").at[row, "amount [EUR]"])

    found = what_if(detector, opened, row, [{"amount [EUR]": f"{cell + 0.01:.2f}"}])

    assert found["score"].iloc[1] == pytest.approx(found["score"].iloc[0], rel=0.03, abs=0.03)
    assert found["score"].iloc[0] == pytest.approx(detector.out_of_bag["score"].iloc[3])
    assert found["try"].iloc[0] == AS_IT_IS


def test_where_the_kept_score_cannot_be_repeated_all_lines_are_scored_in_the_same_way(payments_file):
    """As by an older bundle of more rows than the model was fitted to."""
    opened = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    detector = pipeline.train_all(opened, pipeline.Choice(pretext="balanced"), Silent(), references=False).detector
    older = replace(detector, out_of_bag=detector.out_of_bag[["row_id", "score"]])
    kept = detector.out_of_bag.set_index("row_id")["score"]
    scores = replace(detector, out_of_bag=None).score(opened).set_index("row_id")["score"]
    row = str((kept - scores).abs().idxmax())
    cell = float(opened.data.set_index("payment").at[row, "amount [EUR]"])

    found = what_if(older, opened, row, [{"amount [EUR]": f"{cell + 0.01:.2f}"}])

    assert found["try"].iloc[0] == RESCORED
    assert found["score"].iloc[0] == pytest.approx(scores[row]) != pytest.approx(kept[row], rel=0.05)
    assert found["score"].iloc[1] == pytest.approx(found["score"].iloc[0], rel=0.03)


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        ("P00299", {"houre": "3"}, "Did you mean 'hour'"),
        ("P00299", {"hour": "2.5"}, "whole numbers only"),
        ("P00299", {"shop": "moon"}, "not a value of 'shop'"),
        ("P00299", {}, "Nothing is changed"),
        ("P9", {"hour": "3"}, "no row 'P9'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(trained_on_payments, opened, row, changes, said):
    with pytest.raises(DataError, match=said):
        what_if(trained_on_payments.detector, opened, row, [changes])


def test_a_column_that_is_gone_and_other_kinds_of_data_are_told(trained_on_payments, trained_on_recording, opened):
    without = replace(opened, data=opened.data.drop(columns="shop"))

    with pytest.raises(DataError, match="'shop', which these data do not have"):
        what_if(trained_on_payments.detector, without, "P00299", [{"hour": "3"}])
    with pytest.raises(DataError, match="in tables only"):
        what_if(trained_on_recording.detector, opened, "P00299", [{"hour": "3"}])
