"""Whatever is named as a file: it is found, or the reason is one sentence."""

import os

import pytest

from ad_core.data.files.paths import existing
from ad_core.data.opening import open_dataset
from ad_core.errors import BundleError, DataError
from ad_core.storage import bundle

ENDLESS = "x" * 300


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("~nobody-of-that-name/a.csv", "home folder of a user that does not exist"),
        (f"{ENDLESS}.csv", "can't be opened: File name too long"),
        ("/".join(["y" * 200] * 40), "can't be opened: File name too long"),
        ("a\0b.csv", "is no path"),
        ("missing.csv", "missing.csv does not exist"),
        (os.devnull, "is a pipe or a device"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(path, sentence):
    with pytest.raises(DataError, match=sentence) as refused:
        open_dataset(path)

    assert len(str(refused.value)) < 250


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(DataError, match="is a pipe or a device"):
        open_dataset(tmp_path / "pipe.csv")


def test_nothing_named_is_refused():
    with pytest.raises(DataError, match="No file was given"):
        existing([])


def test_a_bundle_is_looked_for_and_written_where_that_is_possible(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BundleError, match="can't be opened: File name too long"):
        bundle.read(tmp_path / ENDLESS)
    with pytest.raises(BundleError, match="can't be made: File name too long"):
        bundle.write(tmp_path / ENDLESS, {}, {})
    with pytest.raises(BundleError, match="is a file, and a detector bundle is a folder"):
        bundle.write(tmp_path / "file", {}, {})
    with pytest.raises(BundleError, match="can't be made: Not a directory"):
        bundle.write(tmp_path / "file" / "below", {}, {})


def test_a_file_of_one_zero_byte_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x00")

    with pytest.raises(DataError, match=r"a\.csv"):
        open_dataset(tmp_path / "a.csv")
