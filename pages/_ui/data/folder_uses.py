"""What each folder of images is used for: recognised by its name, and to be corrected here."""

import streamlit as st

from ad_core.data.dataset import Dataset, Declared
from ad_core.storage.store import DatasetRecord
from pages._ui.data.datasets import draft, propose
from pages._ui.shell.shell import table_height

USES = {
    "train": "training (normal)",
    "normal": "only scored, normal",
    "anomaly": "only scored, anomaly",
    "unknown": "only scored, not known",
    "mask": "left out, masks",
}
MEANINGS = {
    "nothing": "recognised by its name, see the table",
    "label": "the label: good, normal, ok and the like = normal, all others = anomaly",
    "class": "the class of the normal images",
}


def folder_uses(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    """The meaning of the folders, and an editable table of them; a change is declared, and the data are read again."""
    now = "label" if declared.label else "class" if declared.class_column else "nothing"
    chosen = st.radio(
        "The folder of an image is", list(MEANINGS), index=list(MEANINGS).index(now), format_func=MEANINGS.get
    )
    if chosen != now:
        roles = {name: "folder" if chosen == name else None for name in ("label", "class")}
        propose(record, declared.model_copy(update={"label": roles["label"], "class_column": roles["class"]}))
        st.rerun()
    _table(record, dataset, declared)
    st.caption(
        "Images have no columns: the detector learns from the pixels of the training images. Anomalies and masks are "
        "never trained on unless you say so; labels are only used for evaluation."
    )
    if declared.folders:
        st.button(
            "As recognised",
            icon=":material/undo:",
            type="tertiary",
            key="folders-as-recognised",
            on_click=lambda: propose(record, draft(record).model_copy(update={"folders": {}})),
        )


def _table(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    folders = dataset.folders
    if folders is None:
        return
    shown = folders.assign(use=[in_words(use) for use in folders["use"]])
    mixed = sorted(set(shown["use"]) - set(USES.values()))
    version = (st.session_state.get("_draft") or {}).get("version", 0)
    key = f"folders-{record.id}-{version}"
    st.data_editor(
        shown,
        key=key,
        hide_index=True,
        placeholder="",
        disabled=["folder", "images"],
        height=table_height(len(shown), 320),
        alt=f"{len(shown)} folders and what their images are used for",
        column_config={
            "folder": st.column_config.TextColumn("folder", pinned=True),
            "images": st.column_config.NumberColumn("images", format="localized", width=75),
            "use": st.column_config.SelectboxColumn(
                "used for",
                options=[*USES.values(), *mixed],
                required=True,
                help="Training images teach the detector what is normal. All others but masks are scored.",
            ),
        },
        on_change=_edited,
        args=(record, folders["folder"].tolist(), key),
    )
    if declared.only:
        st.caption("The training images are chosen by a condition, see Training rows.")


def in_words(use: str) -> str:
    """A use, or several joined by "/", in words."""
    return " / ".join(USES[one] for one in use.split("/"))


def after_edit(folders: dict[str, str], names: list[str], edited: dict[str, dict[str, str]]) -> dict[str, str]:
    """What was said of the folders after an edit of their table.

    Args:
        folders: what was said before: folder -> use. A leading `/` means that folder, not any of its name.
        names: of the folders, in the order of the table.
        edited: line -> column -> new value, as an editor reports them.
    """
    of_words = {words: use for use, words in USES.items()}
    new = {f"/{names[int(at)]}": of_words[c["use"]] for at, c in edited.items() if c.get("use") in of_words}
    return {**folders, **new}


def _edited(record: DatasetRecord, names: list[str], key: str) -> None:
    """Callback: declare the uses as they are now."""
    declared = draft(record)
    changed = after_edit(declared.folders, names, st.session_state[key]["edited_rows"])
    propose(record, declared.model_copy(update={"folders": changed}))
