"""The pieces that pages share."""

from typing import Any

import pandas as pd
import pytest
from pydantic import Field
from streamlit.testing.v1 import AppTest

from ad_core.data.dataset import Column, ColumnKind, Declared, Role, Schema
from ad_core.errors import DataError
from ad_core.methods.contamination import LEFT_OUT
from ad_core.settings import Settings
from ad_core.storage.results import Case
from ad_core.types import Modality
from pages._ui.data import datasets
from pages._ui.data.datasets import with_kind, with_role
from pages._ui.explain import explain_parts
from pages._ui.shell import words
from pages._ui.shell.downloads import safe_csv
from pages._ui.shell.glossary import GLOSSARY, USED_ON
from pages._ui.shell.page_words import PAGES


class Example(Settings):
    """One field of every type that settings have."""

    steps: int = Field(10, ge=1, le=100, description="How many.")
    rate: float = Field(0.0003, gt=0, le=1)
    fast: bool = False
    way: str = "near"
    size: int | None = None


def form() -> None:
    import streamlit as st

    from pages._ui.shell.forms import form_for

    st.session_state["found"] = form_for(st.session_state["schema"], "set", preset=st.session_state["preset"])


def shown(preset: bool) -> AppTest:
    test = AppTest.from_function(form)
    test.session_state["schema"] = Example.model_json_schema()
    test.session_state["preset"] = preset
    return test.run()


def test_an_untouched_form_changes_nothing() -> None:
    assert shown(preset=False).session_state["found"] == {}
    assert shown(preset=True).session_state["found"] == {}


def test_only_what_was_changed_comes_back_and_can_be_parsed() -> None:
    test = shown(preset=False)

    test.number_input(key="set-steps").set_value(20)
    test.number_input(key="set-size").set_value(5)
    test.toggle(key="set-fast").set_value(True)
    found: dict[str, Any] = test.run().session_state["found"]

    assert found == {"steps": 20, "size": 5, "fast": True}
    assert Example.parse(found, "training").steps == 20


def method_form() -> None:
    import streamlit as st

    from ad_core.training.catalogue import methods
    from pages._ui.train.method_cards import method_settings

    card = next(card for card in methods("image") if card.name == "rotation")
    _, st.session_state["found"] = method_settings(card, "image")


def test_a_chosen_encoder_comes_back_with_its_own_settings() -> None:
    test = AppTest.from_function(method_form, default_timeout=30).run()
    untouched = test.session_state["found"]

    test.number_input(key="set-encoder-rotation-residual_image-width").set_value(32).run()
    wider = test.session_state["found"]
    test.selectbox(key="encoder-rotation").set_value("efficientnet_lite0").run()
    other = test.session_state["found"]
    test.selectbox(key="encoder-rotation").set_value("vision_transformer").run()
    test.text_input(key="set-encoder-rotation-vision_transformer-folder").set_value("/models/dinov2").run()

    assert untouched == {}
    assert wider == {"encoder": {"width": 32}}
    assert other == {"encoder": {"name": "efficientnet_lite0"}}
    assert test.session_state["found"] == {"encoder": {"name": "vision_transformer", "folder": "/models/dinov2"}}


def broken_plug_ins() -> None:
    from ad_core.training.catalogue import MethodCard
    from pages._ui.train.method_cards import _problems

    reason = "mine.task:Mine of mine 1.0 raised ImportError: no torchvision"
    _problems([])
    _problems(
        [MethodCard(name="mine", kind="pretext", modalities=(), title="mine", source="", settings={}, problem=reason)]
    )


def test_plug_ins_that_could_not_be_loaded_are_named_with_the_reason() -> None:
    test = AppTest.from_function(broken_plug_ins, default_timeout=30).run()

    (panel,) = test.expander
    assert panel.label == "Plug-ins that could not be loaded (1)"
    assert panel.text[0].value == "mine: mine.task:Mine of mine 1.0 raised ImportError: no torchvision"


def test_a_small_default_is_not_rounded_away() -> None:
    assert shown(preset=False).number_input(key="set-rate").value == pytest.approx(0.0003)


def test_a_field_knows_its_limits() -> None:
    field = shown(preset=False).number_input(key="set-steps")

    assert (field.min, field.max) == (1, 100)
    assert "1 to 100" in field.help


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-cmd", "@sum", "\tx", "|calc"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell: str) -> None:
    text = safe_csv(pd.DataFrame({"a": [cell]})).decode("utf-8-sig")

    assert f"'{cell.strip()}" in text.replace('"', "") or "'\t" in text


def test_numbers_and_ordinary_text_stay_as_they_are() -> None:
    text = safe_csv(pd.DataFrame({"a": ["-5", "shop", None], "b": [-1.5, 2.0, None]})).decode("utf-8-sig")

    assert text.splitlines() == ["a,b", "-5,-1.5", "shop,2.0", ","]


def test_a_heading_can_be_a_formula_too() -> None:
    assert safe_csv(pd.DataFrame({"=x": [1]})).decode("utf-8-sig").splitlines()[0] == "'=x"


@pytest.fixture
def schema() -> Schema:
    roles = {"id": Role.ID, "other": Role.FEATURE, "y": Role.LABEL, "left_out": Role.IGNORE}
    return Schema(columns=tuple(Column(name=n, role=r, kind=ColumnKind.NUMBER) for n, r in roles.items()))


def test_a_role_that_one_column_can_have_moves_and_its_old_holder_is_left_out(schema: Schema) -> None:
    declared = with_role(Declared(), schema, "other", Role.ID)

    assert declared.id == "other"
    assert declared.ignore == ("id",)
    assert schema.with_roles(declared.roles()).one(Role.ID) == "other"


def test_a_column_can_be_insisted_on_and_left_out_again(schema: Schema) -> None:
    used = with_role(Declared(), schema, "left_out", Role.FEATURE)
    dropped = with_role(used, schema, "left_out", Role.IGNORE)

    assert (used.use, used.ignore) == (("left_out",), ())
    assert (dropped.use, dropped.ignore) == ((), ("left_out",))


def test_a_label_can_become_a_feature(schema: Schema) -> None:
    declared = with_role(Declared(label="y"), schema, "y", Role.FEATURE)

    assert (declared.label, declared.use) == (None, ("y",))


def test_a_corrected_kind_is_kept_beside_the_others() -> None:
    declared = with_kind(with_kind(Declared(), "a", ColumnKind.CATEGORY), "b", ColumnKind.DATE)

    assert declared.kinds == {"a": ColumnKind.CATEGORY, "b": ColumnKind.DATE}


def test_every_page_explains_itself_and_every_word_it_uses() -> None:
    assert set(PAGES) == set(USED_ON)
    for used in USED_ON.values():
        assert set(used) <= set(GLOSSARY)


def judging() -> None:
    import streamlit as st

    from pages._ui.evaluate.judged import judged

    judged({"method": "masked_window", "evaluation": st.session_state["evaluation"]})


def evaluation(**more: Any) -> dict[str, Any]:
    """What a run's summary says of one detector."""
    areas = {f"{name}{end}": 0.75 for name in ("auroc", "average_precision") for end in ("", "_low", "_high")}
    return {"n": 900, "positives": 60, "note": "", **areas, **more}


def test_recordings_are_judged_by_their_labelled_stretches_beside_the_references() -> None:
    test = AppTest.from_function(judging)
    ranges = {"vus_pr": 0.5, "event_recall": 1.0, "events": 3, "recordings": 2}
    test.session_state["evaluation"] = {"method": evaluation(**ranges), "mahalanobis": evaluation(**ranges)}

    test.run()

    table = test.dataframe[0].value
    assert test.expander[0].label.startswith("Evaluation with labels: VUS-PR 0.5, event recall 1, AUROC 0.75")
    assert table[["detector", "VUS-PR", "event recall"]].to_numpy().tolist() == [
        ["masked_window", 0.5, 1.0],
        ["mahalanobis", 0.5, 1.0],
    ]
    assert "3 events in 2 recordings" in test.caption[1].value


def test_tables_are_judged_row_by_row_with_intervals() -> None:
    test = AppTest.from_function(judging)
    test.session_state["evaluation"] = {"method": evaluation()}

    test.run()

    table = test.dataframe[0].value
    assert [name.strip() for name in table] == [
        "detector",
        "AUROC",
        "95 % interval",
        "average precision",
        "95 % interval",
    ]
    assert table.iloc[0, 2] == "0.750 – 0.750"
    assert len(test.caption) == 1


def test_numbers_are_told_in_three_digits() -> None:
    assert [words.number(v) for v in (0.12345, 12.345, 1234.5, None, float("nan"))] == [
        "0.123",
        "12.3",
        "1,234",
        "–",
        "–",
    ]
    assert [words.duration(s) for s in (5, 65, 3700, None)] == ["5 s", "1 min 5 s", "1 h 1 min", "–"]
    assert [words.size(n) for n in (12, 4_000, 2_500_000, 3e9)] == ["12 B", "4 kB", "2 MB", "3.0 GB"]


def test_the_time_of_a_recipe_follows_the_rows_and_no_preset() -> None:
    assert words.estimate(4_000, "table", "recipe").startswith(
        "Roughly 18 s to 54 s on a CPU until the scores are ready"
    )
    assert words.estimate(20_000, "table", "recipe").startswith("Roughly 58 s to 2 min 54 s")
    assert words.estimate(4_000, "table", "reference").startswith("Roughly 10 s to 30 s")
    assert "estimated from the preset" in words.estimate(4_000, "table", "quick")


def test_the_help_names_the_shares_that_are_left_out() -> None:
    for known in ("unsure", "mixed"):
        assert f"{LEFT_OUT[known]:.0%}".replace("%", " %") in words.TRAINING_ROWS
    assert LEFT_OUT["clean"] == 0


def test_a_method_is_named_as_people_write_it() -> None:
    assert [words.method_title(name) for name in ("one_class_svm", "nearest_neighbours")] == [
        "One-class SVM",
        "Nearest neighbours",
    ]


def test_a_missing_cell_differs_from_a_value_and_not_from_another_missing_one():
    side = pd.DataFrame(
        {"this row": ["9.3", None, None, "F"], "a": [None, None, "0", "F"], "b": ["9.3", None, None, "M"]},
        dtype="string",
    )

    assert explain_parts._differing(side).tolist() == [1, 0, 1, 1]


def graded() -> None:
    import streamlit as st

    from pages._ui.explain.explain_parts import grade

    grade(st.session_state["case"])


@pytest.mark.parametrize(
    ("severity", "known", "badge"),
    [
        ("Medium", "not supported", "Not supported"),
        ("Low", "not supported", "Nothing stands out"),
        ("Low", "not checked", "Nothing stands out"),
        ("Low", "supported", "Supported"),
    ],
)
def test_a_usual_score_is_not_called_badly_explained(severity: str, known: str, badge: str) -> None:
    check = {
        "grade": known,
        "named": 2.0,
        "drop": 0.1,
        "drop_random": 0.2,
        "p": 0.5,
        "agreement": 0.1,
        "stability": 0.1,
    }
    test = AppTest.from_function(graded)
    test.session_state["case"] = Case({"severity": severity}, None, None, {**check, "gap": 0.0}, None, None)

    text = " ".join(element.value for element in test.run().markdown)

    assert badge in text
    assert ("scores like many normal ones" in text) == (badge == "Nothing stands out")


@pytest.mark.parametrize(
    ("modality", "check", "said"),
    [
        ("table", {}, "They add up to 38.5; completeness gap 0.001 (0.0 %): the sum is reliable."),
        (
            "table",
            {"score": 40.0, "baseline_score": 1.5},
            "They add up to 38.5: the row scores 40, the baseline 1.5; completeness gap 0.001 (0.0 %): the sum is "
            "reliable.",
        ),
        (
            "table",
            {"score": 16.0, "baseline_score": -22.5},
            "The score in the list is 40: the file has changed since it was scored, or the detector is of an older "
            "version and scored this training row by models that it did not keep. Score the file again, or train "
            "again.",
        ),
        (
            "sensor",
            {"score": 39.0, "baseline_score": 0.5},
            "the window around this time scores 39, the baseline 0.5; completeness gap 0.001 (0.0 %): the sum is "
            "reliable. The score of this time stamp, 40, is the mean over the windows that cover it.",
        ),
    ],
)
def test_the_bars_say_which_score_they_add_up_to(modality, check, said):
    parts = pd.DataFrame({"part": ["a", "b"], "attribution": [40.0, -1.5], "delta": 0.001})
    case = Case({"score": 40.0}, parts, None, {"grade": "weak", **check}, None, None)

    assert explain_parts.sums(case, Modality(modality)).endswith(said)


class Uploaded:
    """As much of an upload as is looked at."""

    def __init__(self, name: str, content: str) -> None:
        self.name, self.file_id, self.content = name, name, content.encode()

    def getbuffer(self) -> memoryview:
        return memoryview(self.content)


def test_uploads_of_one_name_are_all_kept_and_that_is_said(home) -> None:
    may, june, july = (Uploaded("sales.csv", f"x\n{number}\n") for number in range(3))
    other = Uploaded("stock.csv", "y\n1\n")

    paths = datasets.keep_uploads([may, june, other, july, june])

    assert [path.name for path in paths] == ["sales.csv", "sales (2).csv", "stock.csv", "sales (3).csv"]
    assert [path.read_bytes() for path in paths] == [may.content, june.content, other.content, july.content]
    assert datasets.upload_notes([may, june, other, july, june]) == [
        "3 different files are named 'sales.csv': all are kept, the second as 'sales (2).csv'.",
        "'sales.csv' was uploaded 2 times with the same content: it is read once.",
    ]
    assert datasets.upload_notes([may, other]) == []


def test_a_folder_upload_keeps_the_files_beside_its_folders(home) -> None:
    uploads = [Uploaded("day/a.csv", "x\n1\n"), Uploaded("night/a.csv", "x\n2\n"), Uploaded("b.csv", "x\n3\n")]

    paths = datasets.keep_uploads(uploads)

    assert [path.name for path in paths] == ["day", "night", "b.csv"]
    assert (paths[0] / "a.csv").read_text() != (paths[1] / "a.csv").read_text()
    with pytest.raises(DataError, match="leads out of the upload folder"):
        datasets.keep_uploads([Uploaded("../a.csv", "x\n1\n")])
