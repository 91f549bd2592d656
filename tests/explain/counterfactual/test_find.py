"""What would make a case normal: on a broken payment, a broken channel and a scratched plate, and where none does."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ad_core import pipeline
from ad_core.errors import DataError
from ad_core.explain.counterfactual.case import case_of
from ad_core.explain.counterfactual.find import _judge, counterfactual
from ad_core.explain.counterfactual.images import SMOOTH, image_moves
from ad_core.explain.counterfactual.rows import Columns
from ad_core.explain.counterfactual.search import Found, Judge
from ad_core.explain.counterfactual.windows import window_moves
from ad_core.explain.what_if import what_if
from ad_core.progress import Silent
from ad_core.types import PartKind, Parts

BROKEN = "P00299"  # 4,980 for food at three in the night


@pytest.fixture(scope="module")
def opened(payments_file):
    return pipeline.open_dataset(payments_file, label="is_fraud", id="payment")


@pytest.fixture(scope="module")
def forest(opened):
    """Without a gradient."""
    return pipeline.train(opened, "isolation_forest")


def begin(detector, share=0.05) -> float:
    return float(np.quantile(detector.calibration.scores, 1 - share))


def test_the_change_makes_the_row_normal_when_it_stands_in_the_file(trained_on_payments, opened, tmp_path):
    detector = trained_on_payments.detector
    answer = counterfactual(detector, opened, BROKEN, begin(detector), Silent()).facts

    assert answer.found, answer.sentence
    assert 1 <= len(answer.changes) <= 3
    changed = opened.data.copy()
    for change in answer.changes:
        changed[change["part"]] = changed[change["part"]].where(changed["payment"] != BROKEN, change["to"])
    changed.to_csv(tmp_path / "changed.csv", index=False)
    scores = detector.score(pipeline.open_like(detector, tmp_path / "changed.csv")).set_index("row_id")
    assert scores.at[BROKEN, "score"] == pytest.approx(answer.after["score"], rel=1e-4)
    assert scores.at[BROKEN, "score"] < begin(detector)
    assert answer.distance <= answer.typical_distance * 1.001
    assert "amount [EUR] 4,980 → " in answer.sentence


@pytest.fixture(scope="module")
def on_itself(opened):
    """A detector that compares rows with training rows."""
    return pipeline.train_all(opened, pipeline.Choice(pretext="balanced"), Silent(), references=False)


def test_a_change_too_small_to_matter_leaves_the_score_of_a_row_that_taught(on_itself, opened):
    detector, row = on_itself.detector, on_itself.scores.nlargest(5, "score")["row_id"].iloc[-1]
    case = case_of(detector, opened, row)
    judge, _ = _judge(case, begin(detector))
    nearly = case.x[None] + 1e-4

    assert judge.score(nearly) == pytest.approx(judge.score(case.x[None]), rel=0.02)
    assert detector.model.score(nearly).item() < 0.9 * judge.score(nearly)[0]


def test_what_is_found_scores_as_what_if_says(on_itself, opened):
    trained = on_itself
    detector, highest = trained.detector, trained.scores.nlargest(14, "score")["row_id"]
    assert set(highest) <= set(detector.out_of_bag["row_id"])

    answers = [counterfactual(detector, opened, row, begin(detector), Silent()).facts for row in highest]

    found = [answer for answer in answers if answer.found]
    assert found
    for answer in found:
        change = {one["part"]: str(one["to"]) for one in answer.changes}
        scores = what_if(detector, opened, answer.row_id, [change])["score"]
        assert scores.iloc[1] == pytest.approx(answer.after["score"], rel=1e-3)


def test_values_exist(trained_on_payments, opened):
    detector = trained_on_payments.detector
    answer = counterfactual(detector, opened, BROKEN, begin(detector), Silent()).facts

    taught = opened.data.iloc[:-5]
    for change in answer.changes:
        if change["part"] == "shop":
            assert change["to"] in set(taught["shop"])
        if change["part"] == "hour":
            assert change["to"] == int(change["to"])
        if change["part"] in ("hour", "amount [EUR]"):
            assert taught[change["part"]].min() <= change["to"] <= taught[change["part"]].max()


def test_numbers_are_taken_back_until_it_would_show(trained_on_payments, opened):
    """Only the amount counts, and 1,000 is the most that is normal: of 4,980 → 30 remains 4,980 → nearly 1,000."""
    detector = trained_on_payments.detector
    case = case_of(detector, opened, BROKEN)
    columns = Columns(detector.reader, case.allowed, case.dataset.data.iloc[0], case.x)
    amount, hour = (detector.reader.shape.parts.names.index(name) for name in ("amount [EUR]", "hour"))
    at = detector.reader.shape.parts.entries(amount)[0]
    most = float(detector.reader.encoded_cells(amount, [1000.0])[0, 0])
    judge = Judge(lambda x: x[:, at].double().numpy(), lambda x: np.ones(len(x), dtype=bool), most, 64)
    start = Found((columns.move(amount, 30.0), columns.move(hour, 11.0)), -1.0)

    shrunk = {move.part: move.to for move in columns.shrunk(start, judge, Silent()).moves}

    assert 950 <= shrunk["amount [EUR]"] < 1000
    assert shrunk["amount [EUR]"] == round(shrunk["amount [EUR]"], -1)  # told with few digits
    assert "hour" not in shrunk  # it does not matter here, so it came back all the way


def test_the_same_case_gets_the_same_answer_and_it_is_json(forest, opened):
    first, second = (counterfactual(forest, opened, BROKEN, begin(forest), Silent()).facts for _ in range(2))

    assert first == second
    assert first.found
    assert json.loads(first.model_dump_json())["changes"] == first.changes


def test_fixed_columns_stay(forest, opened):
    free = counterfactual(forest, opened, BROKEN, begin(forest), Silent()).facts
    fixed = free.changes[0]["part"]
    answer = counterfactual(forest, opened, BROKEN, begin(forest), Silent(), [fixed]).facts

    assert fixed not in {change["part"] for change in answer.changes}
    assert answer.fixed == [fixed]


def test_where_nothing_helps_it_is_said_plainly(forest, opened):
    names = ["amount [EUR]", "shop", "hour", "card_present"]
    hopeless = forest.calibration.scores.min() - 1.0

    none = counterfactual(forest, opened, BROKEN, hopeless, Silent()).facts
    assert not none.found
    assert none.sentence.startswith("No change of up to three columns makes this row normal. The lowest score")
    one = counterfactual(forest, opened, BROKEN, hopeless, Silent(), names[1:]).facts
    assert one.sentence.startswith("No change of its one free column")
    stuck = counterfactual(forest, opened, BROKEN, begin(forest), Silent(), names).facts
    assert stuck.sentence == "Every column is marked as fixed, so nothing may change. Free at least one."
    calm = counterfactual(forest, opened, BROKEN, float("inf"), Silent()).facts
    assert "no alert by the rule in force" in calm.sentence


def test_what_cannot_be_asked_is_said(forest, opened):
    with pytest.raises(DataError, match="'colour' can't be fixed"):
        counterfactual(forest, opened, BROKEN, 0.0, Silent(), ["colour"])
    with pytest.raises(DataError, match="no row 'P9'"):
        counterfactual(forest, opened, "P9", 0.0, Silent())
    without = replace(opened, data=opened.data.drop(columns="shop"))
    with pytest.raises(DataError, match="'shop'"):
        counterfactual(forest, without, BROKEN, 0.0, Silent())


def test_a_table_of_one_column_has_one_change(tmp_path):
    values = np.r_[np.random.default_rng(0).normal(10, 1, 200).round(2), 60.0]
    pd.DataFrame({"id": [f"r{i}" for i in range(201)], "load": values}).to_csv(tmp_path / "one.csv", index=False)
    dataset = pipeline.open_dataset(tmp_path / "one.csv", id="id")
    detector = pipeline.train(dataset, "histogram")

    answer = counterfactual(detector, dataset, "r200", begin(detector), Silent()).facts

    assert [change["part"] for change in answer.changes] == ["load"]
    assert 7 < answer.changes[0]["to"] < 13


def test_neighbours_that_are_all_alike_leave_nothing_to_try(forest, opened):
    same = replace(forest, normals=replace(forest.normals, x=forest.normals.x[:1].repeat(40, 1)))
    same.normals.row_ids[:] = same.normals.row_ids[:1] * 40
    same.normals.embeddings = same.normals.x
    twin = same.normals.row_ids[0]

    answer = counterfactual(same, opened, twin, -1e9, Silent(), ["shop", "card_present"]).facts

    assert answer.sentence.startswith("There is nothing to try: the nearest normal rows have the same values")


def test_a_broken_channel_is_the_one_that_is_replaced(trained_on_recording, recording_file):
    detector = trained_on_recording.detector
    dataset = pipeline.open_dataset(recording_file, label="is_anomaly", time="time")
    row = trained_on_recording.scores["score"].idxmax()
    row_id = trained_on_recording.scores["row_id"].iloc[row]

    found = counterfactual(detector, dataset, row_id, begin(detector, 0.01), Silent())

    assert found.facts.found, found.facts.sentence
    assert [change["part"] for change in found.facts.changes] == ["pressure [bar]"]
    assert found.facts.after["score"] < begin(detector, 0.01) <= found.facts.before["score"]
    assert list(found.window) == ["time", "pressure [bar]", "pressure [bar] changed"]
    assert found.window["pressure [bar] changed"].std() < found.window["pressure [bar]"].std()


def test_a_scratch_is_painted_over(trained_on_plates, plates_folder):
    detector = trained_on_plates.detector
    dataset = pipeline.open_dataset(plates_folder, only=["folder=good"])

    alerts_from = 2 * detector.calibration.scores.max()  # a hundredth of what a scratch scores
    found = counterfactual(detector, dataset, "scratch/000.png", alerts_from, Silent())

    assert found.facts.found, found.facts.sentence
    place = found.facts.changes[0]
    assert place["y0"] <= 10 < 30 <= place["y1"]  # the scratch is a diagonal from 10 to 30
    assert place["x0"] <= 10 < 30 <= place["x1"]
    assert found.picture.shape == (40, 40)
    assert found.picture[14:26, 14:26].max() < 200  # the scratch has 250


def test_stretches_go_over_into_what_stays_without_a_jump():
    x, donors = torch.zeros(1, 64), torch.ones(1, 1, 64)
    flow = Parts(names=("flow",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,))
    moves = window_moves(x, donors, ["n"], flow, [])
    inner = next(m for m in moves if (m.to["low"], m.to["high"]) == (16, 32))
    whole = next(m for m in moves if (m.to["low"], m.to["high"]) == (0, 64))

    assert inner.values[0, 0] < 0.5 < inner.values[0, 8]
    assert inner.values[0, -1] < 0.5
    assert (whole.values == 1).all()
    assert window_moves(x, donors, ["n"], flow, ["flow"]) == []


def test_regions_are_filled_smoothly_or_as_bright_as_their_surroundings():
    x = torch.full((1, 32, 32), 0.5)
    x[:, 10:14, 10:14] = 1.0
    grid = (x[0] > 0.9).float().numpy()
    moves = image_moves(x, torch.full((1, 1, 32, 32), 0.3), ["dark"], grid)

    assert {move.to["as_in"] for move in moves} == {SMOOTH, "dark"}
    for move in moves[:2]:
        inner = x.clone()
        inner[move.at] = move.values
        assert torch.allclose(inner, torch.full_like(inner, 0.5), atol=0.02)
    assert image_moves(x, x[None], ["same"], np.zeros((4, 4), dtype=np.float32)) == []
