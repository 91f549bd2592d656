"""Explain: what would make a row normal, what if its cells were others, and images on one colour scale."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core import pipeline
from ad_core.data.readers.table import Table
from ad_core.explain.heat_scale import HeatScale
from ad_core.jobs import processes
from ad_core.storage import bundle, results
from ad_core.storage.store import RunRecord, Store
from pages._ui.shell.images import small_with_map
from tests.pages.conftest import ROWS, write_image_run
from tests.pages.test_pages import button, texts

Open = Callable[..., AppTest]
ROW = f"r{ROWS - 1}"
ANSWER = {
    "row_id": ROW,
    "found": True,
    "sentence": "amount 5,000 → 71, hour 9 → 11: p 0.024 → 0.3.",
    "others": [],
    "changes": [{"part": "amount", "value": 5000, "to": 71}],
    "before": {},
    "after": {},
    "begin": 3.5,
    "tried": 64,
    "fixed": ["shop"],
    "distance": 0.4,
    "typical_distance": 0.5,
    "rule": "5 % false alarms among normal rows",
}


@pytest.fixture
def run(table_run: RunRecord, store: Store) -> RunRecord:
    """With the reader in its bundle, and with a device that is busy, so that what is asked for waits."""
    dataset = pipeline.open_dataset(Path(store.dataset(table_run.dataset_id).sources[0]), id="id", label="label")
    reader = Table(Table.Settings())
    reader.fit(dataset, np.arange(len(dataset)) < 80)
    facts = {"name": "table", "settings": reader.settings.model_dump(mode="json"), "facts": reader.state()[0]}
    bundle.change(store.folder(table_run.id) / "bundle", {"reader": facts})
    busy = store.add_run(table_run.dataset_id, "train", {}, "busy")
    assert store.claim(busy.id, os.getpid(), processes.started(os.getpid()) or "", "cpu")
    return table_run


def explain(open_page: Open, run: RunRecord, **query: str) -> AppTest:
    test = open_page("investigate/explain.py", run=run.id, row=ROW, **query)
    assert not test.exception
    assert not test.error
    return test


def test_edited_cells_become_a_job_and_are_scored_beside_the_original(
    run: RunRecord, store: Store, open_page: Open
) -> None:
    test = explain(open_page, run)
    test.multiselect(key=f"change-{ROW}").set_value(["amount", "shop", "hour"]).run()
    assert set(test.selectbox(key=f"cell-{ROW}-shop").options) == {"north", "south"}
    assert isinstance(test.number_input(key=f"cell-{ROW}-hour").value, int)
    test.number_input(key=f"cell-{ROW}-amount").set_value(60.5)
    button(test, "Score it").click()
    test.run()

    asked = store.runs(kind="whatif", parent=run.id)
    assert [job.config["tries"] for job in asked] == [[{"amount": "60.5"}]]  # only what is different from the row
    assert asked[0].config["rule"]["kind"] == "p"
    assert button(test, "Score it").disabled
    assert "Another job is using the device" in "\n".join(str(node.proto) for node in test.get("progress"))

    assert store.claim(asked[0].id, 1, "never")
    lines = [
        {"try": name, "score": score, "percentile": 50.0, "p_value": p, "severity": word, "alert": p < 0.05, "note": ""}
        for name, score, p, word in (("as it is", 495.0, 0.024, "Medium"), ("amount 5,000 → 60.5", 1.2, 0.4, "Low"))
    ]
    store.finish(asked[0].id, "done", summary={"tries": lines})
    test = explain(open_page, run)
    shown = next(frame.value for frame in test.dataframe if "alert" in frame.value)
    assert shown["alert"].tolist() == ["yes", "no"]
    assert shown["p"].tolist() == ["0.024", "0.4"]


def test_a_click_without_a_change_says_so_and_starts_nothing(run: RunRecord, store: Store, open_page: Open) -> None:
    test = explain(open_page, run)
    button(test, "Score it").click()
    test.run()

    assert "No cell is changed yet" in test.error[0].value
    assert store.runs(kind="whatif", parent=run.id) == []


def test_fixed_columns_are_in_the_address_and_in_the_job(run: RunRecord, store: Store, open_page: Open) -> None:
    test = explain(open_page, run, fixed="shop")
    assert test.multiselect(key="fixed").value == ["shop"]
    button(test, "Search").click()
    test.run()

    (asked,) = store.runs(kind="counterfactual", parent=run.id)
    assert asked.config["fixed"] == ["shop"]
    assert asked.config["row_id"] == ROW
    assert test.get("progress")


def test_the_answer_is_told_with_what_it_goes_by(run: RunRecord, store: Store, open_page: Open) -> None:
    results.keep_counterfactual(store.folder(run.id), ROW, ANSWER, None, None)

    seen = texts(explain(open_page, run)).replace("\\", "")  # signs that would be markup are escaped

    assert "amount 5,000 → 71, hour 9 → 11: p 0.024 → 0.3." in seen
    assert "Not changed: shop" in seen
    assert "5 % false alarms among normal rows" in seen
    none = ANSWER | {
        "found": False,
        "changes": [],
        "after": None,
        "sentence": "No change of up to three columns helps.",
    }
    results.keep_counterfactual(store.folder(run.id), ROW, none, None, None)
    assert "No change of up to three columns helps." in texts(explain(open_page, run))


def test_a_column_that_is_gone_from_the_file_is_said(run: RunRecord, store: Store, open_page: Open) -> None:
    file = Path(store.dataset(run.dataset_id).sources[0])
    pd.read_csv(file).drop(columns="shop").to_csv(file, index=False)

    test = explain(open_page, run)

    assert any("'shop', which these data do not have" in warning.value for warning in test.warning)


def test_images_say_by_which_colours_they_are_drawn(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    old = open_page("investigate/explain.py", run=run.id, row="p11.png")
    assert "no common colour scale" in texts(old)

    facts = results.summary(store.folder(run.id))
    store_facts = {**facts, "heat_scale": {"low": 0.0, "high": 0.25, "images": 40}}
    (store.folder(run.id) / "summary.json").write_text(pd.Series(store_facts).to_json(), encoding="utf-8")
    new = open_page("investigate/explain.py", run=run.id, row="p11.png")
    assert "colour begins at 0.25, below which 99.9 % of the values of 40 calibration images lie" in texts(new)
    store_facts["heat_scale"]["high"] = 2.0
    (store.folder(run.id) / "summary.json").write_text(pd.Series(store_facts).to_json(), encoding="utf-8")
    calm = open_page("investigate/explain.py", run=run.id, row="p11.png")
    assert "nothing is coloured" in texts(calm)
    assert not calm.exception


def test_a_run_whose_threshold_has_changed_is_searched_by_the_rule_in_force(
    run: RunRecord, store: Store, open_page: Open
) -> None:
    from ad_core.alerts.rule import Rule
    from ad_core.storage import saved_thresholds

    saved_thresholds.save(store, run.id, Rule(kind="budget", value=3), name="three", reason="", author="me")
    test = explain(open_page, run)
    button(test, "Search").click()
    test.run()

    assert store.runs(kind="counterfactual", parent=run.id)[0].config["rule"] == {
        "kind": "budget",
        "value": 3.0,
        "segment": None,
    }


def test_thumbnails_show_maps_on_the_same_scale_when_asked(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)  # one of its twelve images has a map
    test = open_page("investigate/alerts.py", run=run.id)
    assert not test.toggle(key="mapped").value
    test.toggle(key="mapped").set_value(True).run()
    assert not test.exception

    file, maps = str(tmp_path / "plates" / "p11.png"), store.folder(run.id) / "maps"
    heat = maps / f"{results.safe_name('p11.png')}.npy"  # 1 within y 20-30, x 40-60 of 64 x 80 px, else 0
    hot = small_with_map(file, heat, HeatScale(low=0.0, high=0.3, images=9))
    assert isinstance(hot, np.ndarray)
    assert hot[25, 50, 0] - hot[25, 50, 2] > 50  # orange
    assert (hot[5, 5] == hot[5, 5, 0]).all()
    calm = small_with_map(file, heat, HeatScale(low=0.0, high=2.0, images=9))
    assert isinstance(calm, np.ndarray)
    assert (calm == calm[..., :1]).all()  # within what calibration images reach: grey as it was
    assert isinstance(small_with_map(file, maps / "none.npy", None), bytes)


def test_an_image_run_without_maps_offers_none(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    shutil.rmtree(store.folder(run.id) / "maps")

    test = open_page("investigate/alerts.py", run=run.id)

    assert not test.exception
    assert "mapped" not in {toggle.key for toggle in test.toggle}
