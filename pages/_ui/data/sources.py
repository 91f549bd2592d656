"""Sources of data: an upload, a path on this machine, or a data set that was opened before."""

from pathlib import Path

import streamlit as st

from ad_core.errors import AdError
from pages._ui.data.datasets import keep_uploads, name_for, open_sources, upload_notes
from pages._ui.data.forget import confirm_forget
from pages._ui.shell import words
from pages._ui.shell.navigate import choose
from pages._ui.shell.stored import store

TYPES = [
    "csv",
    "tsv",
    "txt",
    "parquet",
    "pq",
    "feather",
    "json",
    "jsonl",
    "arff",
    "npy",
    "npz",
    "dat",
    "data",
    "gz",
    "xlsx",
    "xlsm",
    "xls",
    "ods",
    "zip",
    "png",
    "jpg",
    "jpeg",
    "bmp",
    "tif",
    "tiff",
    "webp",
    "gif",
]


def sources() -> None:
    """Tabs for the three sources; the choice becomes the current data set."""
    by_upload, by_path, before = st.tabs(["Upload", "Path on this machine", "Opened before"])
    with by_upload:
        _upload()
    with by_path:
        _path()
    with before:
        _known()


def upload_field(key: str, label: str) -> list[Path]:
    """Files, a zip or a folder from the browser, written to the store once. Empty while there are none."""
    folder = st.toggle(
        "A whole folder", key=f"{key}-folder", help="Choose a folder of images, or of recordings, with its sub-folders."
    )
    uploads = st.file_uploader(
        label,
        type=TYPES,
        accept_multiple_files="directory" if folder else True,
        key=f"{key}-{folder}",
        help="Tables and recordings: CSV and other text, Parquet, Excel, JSON lines, Feather, ARFF, NumPy, also packed "
        "as .gz or .zip. Images: PNG, JPEG, BMP, TIFF, WebP, or a zip of them.",
    )
    if not uploads:
        return []
    stamp = "|".join(upload.file_id for upload in uploads)
    if (st.session_state.get(f"_{key}") or {}).get("stamp") != stamp:
        paths, notes = keep_uploads(uploads), upload_notes(uploads)
        st.session_state[f"_{key}"] = {"stamp": stamp, "paths": [str(path) for path in paths], "notes": notes}
    for note in st.session_state[f"_{key}"]["notes"]:
        st.info(note, icon=":material/info:")
    return [Path(path) for path in st.session_state[f"_{key}"]["paths"]]


def path_field(key: str) -> list[Path]:
    """A field with one path per line. Empty while none was typed."""
    text = st.text_area(
        "One path per line: files of one data set, or a folder",
        key=key,
        height=110,
        placeholder="/home/me/measurements/pump.csv",
        help="The file is read in place and not copied; keep it there as long as you use its runs.",
    )
    return [Path(line.strip().strip('"')).expanduser() for line in (text or "").splitlines() if line.strip()]


def _upload() -> None:
    try:
        paths = upload_field("upload", "Files of one data set")
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(
        ":material/lock: The files are stored in the folder of this installation on this machine and are not sent "
        "elsewhere."
    )
    if paths:
        name = st.text_input("Name", value=name_for(paths), key="upload-name")
        st.button(
            "Open", type="primary", key="open-upload", on_click=open_sources, args=(paths, name or name_for(paths))
        )


def _path() -> None:
    paths = path_field("path")
    st.caption("Better for large files and folders: nothing is copied or sent.")
    st.button(
        "Open",
        type="primary",
        key="open-path",
        disabled=not paths,
        on_click=open_sources,
        args=(paths, name_for(paths) if paths else ""),
    )


def _known() -> None:
    records = store().datasets()
    if not records:
        st.markdown(":gray[No data sets yet. Data sets that you open appear here.]")
    for record in records[:50]:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(
                f"{words.MODALITY_ICONS[record.modality]} **{record.name}** "
                f":gray[· {words.count(record.rows, 'row')} · {words.ago(record.created)}]",
                width="stretch",
            )
            st.button("Open", key=f"known-{record.id}", on_click=choose, kwargs={"data": record.id})
            if st.button("Remove", key=f"forget-{record.id}", type="tertiary"):
                confirm_forget(record)
