"""The Map page: plotly for few points, a canvas for many, what was drawn around, and marks of trust."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.pipeline import open_dataset
from ad_core.progress import Silent
from ad_core.projection.sprite_sheet import MAP_PICTURES, write_sheet
from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store
from pages._ui.map.map_selection import with_own_columns
from tests.pages.conftest import write_image_run, write_table_run
from tests.projection.test_canvas import read

Open = Callable[..., AppTest]
MANY = 10_500


@pytest.fixture
def many(store: Store, tmp_path: Path) -> RunRecord:
    """A run of 10,500 points on a grid, of which ten lie apart at (300, 300); the first of these misleads."""
    run = write_table_run(store, tmp_path, rows=MANY)
    return placed(store, run, far=1)


def placed(store: Store, run: RunRecord, far: int) -> RunRecord:
    folder = store.folder(run.id)
    table = results.table(folder, "map")
    at = np.arange(len(table))
    table["x"], table["y"] = at % 100, at // 100
    table.loc[table.index[-10:], ["x", "y"]] = 300
    table["kept"], table["pca_kept"] = at / len(at), 0.5
    table["far_inside"], table["pca_far_inside"] = at >= len(at) - far, False
    results.publish(folder, "map", table.sample(frac=1, random_state=0))  # points come in no order of the rows
    return run


def around(run: RunRecord, x: float, y: float, half: float = 2.0) -> dict[str, list]:
    return {"polygon": [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]}


def drawn_around(test: AppTest, run: RunRecord, x: float, y: float) -> AppTest:
    test.session_state[f"map-canvas-{run.id}-x"] = around(run, x, y)
    return test.run()


def sent(test: AppTest) -> list:
    return [element.proto for element in test.main if getattr(element, "type", "") == "bidi_component"]


def captions(test: AppTest) -> str:
    return " ".join(caption.value for caption in test.caption)


def test_many_points_are_sent_to_a_canvas_all_of_them(many: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id)

    points, marks = sent(test)
    assert not test.exception
    assert f'"n": {MANY}' in points.bytes[:2000].decode(errors="ignore")
    assert json.loads(marks.json)["chosen"] == -1
    assert f"{MANY:,} of {MANY:,} items drawn." in captions(test)
    assert not test.get("plotly_chart")


def test_few_points_stay_in_plotly(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=table_run.id)

    assert not sent(test)
    assert len(test.get("plotly_chart")) == 1


def test_what_was_drawn_around_is_listed_and_compared(many: RunRecord, open_page: Open) -> None:
    """The ten points apart are the last rows of the table, five of which have huge amounts."""
    test = drawn_around(open_page("investigate/map.py", run=many.id), many, 300, 300)

    listed, compared = (table.value for table in test.dataframe)
    assert set(listed["row_id"]) == {f"r{i}" for i in range(MANY - 10, MANY)}
    assert "10 rows selected, 5 of them alerts." in captions(test)
    assert compared["column"].tolist()[:1] == ["amount"]
    assert {"label", "amount"} <= set(compared["column"])


def test_the_points_are_not_sent_anew_for_a_selection(many: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id)
    before = sent(test)[0].bytes

    after = sent(drawn_around(test, many, 50, 50))[0].bytes

    assert after == before


def test_a_line_without_points_lists_nothing(many: RunRecord, open_page: Open) -> None:
    test = drawn_around(open_page("investigate/map.py", run=many.id), many, 200, 200)

    assert not test.exception
    assert not test.dataframe
    assert "Draw around points" in test.info[0].value


def test_what_is_no_line_selects_nothing(many: RunRecord, open_page: Open) -> None:
    """A browser can send anything."""
    test = open_page("investigate/map.py", run=many.id)
    for nonsense in ("x", [1, 2, 3], [[1, "a"], [2, 3], [4, 5]], [[1]], [[1, 2, 3]] * 3):
        test.session_state[f"map-canvas-{many.id}-x"] = {"polygon": nonsense}

        test.run()

        assert not test.exception
        assert not test.dataframe


def test_the_current_case_is_marked(many: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id, row="r7")

    chosen = json.loads(sent(test)[1].json)["chosen"]
    assert results.table(store.folder(many.id), "map")["row_id"].iloc[chosen] == "r7"


def test_misleading_places_are_told_in_one_calm_sentence(many: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id)
    flat = open_page("investigate/map.py", run=many.id, map_kind="PCA")

    assert "1 point (ringed) is drawn among other points but is far from them in the embedding" in captions(test)
    assert "drawn among other points" not in captions(flat)  # each plane has its own


def test_points_can_be_coloured_by_the_neighbours_they_keep(many: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id)

    coloured = test.selectbox(key="map_colour").set_value("kept").run()

    assert not coloured.exception
    assert '"title": "neighbours kept"' in sent(coloured)[0].bytes[:2000].decode(errors="ignore")


def test_points_have_the_colours_of_their_own_rows(many: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=many.id)
    data = open_dataset(store.dataset(many.dataset_id).sources[0], id="id", label="label").data.set_index("id")

    header, parts = read(sent(test.selectbox(key="map_colour").set_value("data:shop").run())[0].bytes)

    drawn = [header["names"][code] for code in parts["code"]]
    assert drawn == data.loc[parts["ids"], "shop"].tolist()
    _, parts = read(sent(test.selectbox(key="map_colour").set_value("label").run())[0].bytes)
    assert len(set(parts["code"][data.loc[parts["ids"], "label"].to_numpy() == 1])) == 1


def test_a_run_of_an_older_version_opens_without_marks(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/map.py", run=table_run.id)

    assert not test.exception
    assert "Neighbours kept" not in test.selectbox(key="map_colour").options
    assert "drawn among other points" not in captions(test)


def test_a_selection_is_listed_even_when_its_file_is_gone(many: RunRecord, store: Store, open_page: Open) -> None:
    Path(store.dataset(many.dataset_id).sources[0]).unlink()

    test = drawn_around(open_page("investigate/map.py", run=many.id), many, 300, 300)

    assert not test.exception
    assert len(test.dataframe) == 1
    assert "can't be compared with the rest" in captions(test)


def test_the_file_of_a_selection_holds_the_users_columns(many: RunRecord, store: Store, open_page: Open) -> None:
    test = drawn_around(open_page("investigate/map.py", run=many.id), many, 300, 300)
    dataset = open_dataset(store.dataset(many.dataset_id).sources[0], id="id", label="label")
    rows = results.ranked(store, many.id).iloc[[0, 3]]

    written = with_own_columns(rows, dataset)

    assert [button.label for button in test.get("download_button")] == ["Parquet", "CSV"]
    assert written["amount"].tolist() == dataset.data.set_index("id").loc[rows["row_id"], "amount"].tolist()
    assert {"score", "percentile", "amount", "hour", "shop"} <= set(written)
    assert written.columns.is_unique


def test_images_are_sent_with_the_points_they_belong_to_however_few(
    store: Store, tmp_path: Path, open_page: Open
) -> None:
    """The scores rise with the names: the last image is in the first cell."""
    run = write_image_run(store, tmp_path)
    folder, dataset = store.folder(run.id), open_dataset(tmp_path / "plates")
    write_sheet(folder, results.table(folder, "map"), dataset, Silent())

    test = open_page("investigate/map.py", run=run.id)

    header, parts = read(sent(test)[0].bytes)
    assert not test.exception
    by_cell = [parts["ids"][i] for i in np.argsort(parts["cell"])]
    assert by_cell == [f"p{i:02}.png" for i in reversed(range(header["n"]))]
    assert parts["sheet"] == (folder / MAP_PICTURES).read_bytes()
