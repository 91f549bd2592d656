"""Score file: new data with values or without columns of the training data are checked as the shell checks them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core import pipeline
from ad_core.data.dataset import Declared
from ad_core.progress import Silent
from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store
from tests.unknown_values import METHOD, odd_pumps, pumps


@pytest.fixture
def training(store: Store, tmp_path: Path) -> RunRecord:
    """A finished training run whose bundle is that of a detector of the pumps, with the file to score suggested."""
    pumps().to_csv(tmp_path / "train.csv", index=False)
    dataset = pipeline.open_dataset(tmp_path / "train.csv", label="truth", id="pump")
    trained = pipeline.train_all(dataset, pipeline.Choice(pretext=METHOD), Silent(), references=False)
    declared = Declared(label="truth", id="pump").model_dump(mode="json")
    facts = {"score_later": [str(tmp_path / "new.csv")]}
    data = store.add_dataset("pumps", "table", [str(tmp_path / "train.csv")], declared, 300, "f", facts)
    run = store.add_run(data.id, "train", {"pretext": METHOD}, "pumps")
    trained.detector.save(store.folder(run.id) / "bundle")
    results.publish(store.folder(run.id), "scores", trained.scores)
    store.finish(run.id, "done", summary=trained.detector.info.to_facts(), was=("queued",))
    return store.run(run.id)


def opened(open_page: Callable[..., AppTest], run: RunRecord, new: pd.DataFrame, folder: Path) -> AppTest:
    new.to_csv(folder / "new.csv", index=False)
    test = open_page("operate/score_file.py", run=run.id)
    assert not test.exception
    return test


def said(test: AppTest) -> str:
    return " ".join(box.value for box in [*test.warning, *test.error, *test.success])


def test_unknown_values_are_named_before_scoring_and_do_not_hinder_it(open_page, training, tmp_path):
    test = opened(open_page, training, odd_pumps(), tmp_path)

    assert not test.error
    for words in ("'2' (1 rows)", "'jammed' (1 rows)", "'west' (1 rows)", "'NORTH' as 'north'", "('ERR')", "'leak'"):
        assert words in said(test)
    assert "All columns that the detector needs are there." in said(test)
    assert not next(button for button in test.button if button.label == "Score").disabled


def test_a_missing_column_is_allowed_by_a_box(open_page, training, store, tmp_path):
    test = opened(open_page, training, odd_pumps().drop(columns="load"), tmp_path)
    assert "needs 'load', which these data do not have" in said(test)
    assert next(button for button in test.button if button.label == "Score").disabled

    test.checkbox[0].check().run()

    assert not test.error
    assert "Columns that these data do not have: 'load'. They are filled in" in said(test).replace("\\", "")
    next(button for button in test.button if button.label == "Score").click().run()
    assert store.datasets()[0].declared == {"allow_missing": True}
