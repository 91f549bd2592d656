"""Tables in other formats than CSV, Parquet and Excel: read where a library reads them, else refused by name."""

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.orc
import pytest

from ad_core.data.files.tabular_files import files_in, notices_of, read_files, read_head
from ad_core.data.opening import open_dataset
from ad_core.errors import DataError
from ad_core.types import Modality

DATA = pd.DataFrame(
    {"a": np.arange(40) / 7, "b": np.arange(40) % 3, "word": [f"w{i % 4}" for i in range(40)]},
)
CSV = DATA.to_csv(index=False).encode()
ARFF = (
    "% made by hand\n@relation x\n@attribute a real\n@attribute b integer\n@attribute word {w0,w1,w2,w3}\n@data\n"
    + DATA.to_csv(index=False, header=False)
).encode()


def zipped(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV)),
    "a.csv.bz2": lambda path: path.write_bytes(bz2.compress(CSV)),
    "a.csv.xz": lambda path: path.write_bytes(lzma.compress(CSV)),
    "a.csv.zst": lambda path: path.write_bytes(pa.compress(CSV, codec="zstd", asbytes=True)),
    "a.zip": lambda path: zipped(path, a__csv=CSV),
    "a.feather": lambda path: DATA.to_feather(path),
    "a.orc": lambda path: pa.orc.write_table(pa.Table.from_pandas(DATA), path),
    "a.jsonl": lambda path: DATA.to_json(path, orient="records", lines=True),
    "a.json": lambda path: DATA.to_json(path, orient="records"),
    "lines.txt": lambda path: DATA.to_json(path, orient="records", lines=True),
    "a.arff": lambda path: path.write_bytes(ARFF),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_is_the_same_in_every_format(tmp_path, name):
    WRITERS[name](tmp_path / name)

    frame = read_files([tmp_path / name])[0][1]

    assert list(frame.columns) == list(DATA.columns)
    assert np.allclose(frame["a"], DATA["a"])
    assert frame["b"].tolist() == DATA["b"].tolist()
    assert frame["word"].tolist() == DATA["word"].tolist()
    assert read_head(tmp_path / name, rows=7)["a"].tolist() == pytest.approx(DATA["a"].head(7).tolist())


def test_arrays_become_columns_and_it_is_told(tmp_path):
    x, y = DATA[["a", "b"]].to_numpy(), DATA["b"].to_numpy() > 1
    np.savez(tmp_path / "a.npz", X=x, y=y, more=np.arange(3))
    np.save(tmp_path / "a.npy", x)

    both, one = (read_files([tmp_path / name])[0][1] for name in ("a.npz", "a.npy"))

    assert list(both.columns) == ["X 1", "X 2", "y"]
    assert list(one.columns) == ["column 1", "column 2"]
    assert both["X 1"].tolist() == one["column 1"].tolist() == DATA["a"].tolist()
    assert "X (40, 2), y (40,), more (3,)" in notices_of(both)[0]
    assert "other numbers of rows were left out: more" in notices_of(both)[1]


def test_a_zip_of_tables_is_read_as_several_files_and_told(tmp_path):
    zipped(tmp_path / "two.zip", one__csv=CSV, two__csv=CSV, readme__md=b"hello")

    dataset = open_dataset(tmp_path / "two.zip")

    assert dataset.modality is Modality.TABLE
    assert len(dataset) == 2 * len(DATA)
    assert "two.zip holds 2 tables: one.csv, two.csv." in dataset.notices
    assert "Left out of two.zip, as they are no tables: readme.md." in dataset.notices


def test_a_zip_with_images_is_still_one_of_images(tmp_path):
    zipped(tmp_path / "a.zip", a__png=b"no image", labels__csv=CSV)

    with pytest.raises(DataError, match="image"):
        open_dataset(tmp_path / "a.zip")


def test_a_table_in_folders_named_by_a_column_is_read_as_one(tmp_path):
    for day in (1, 2):
        (tmp_path / "t" / f"day={day}").mkdir(parents=True)
        DATA.to_parquet(tmp_path / "t" / f"day={day}" / "part-0.parquet")

    dataset = open_dataset(tmp_path / "t")

    assert dataset.modality is Modality.TABLE
    assert dataset.data["day"].tolist() == [1] * len(DATA) + [2] * len(DATA)
    assert any("became columns: day" in notice for notice in dataset.notices)


def test_packed_files_of_a_folder_are_found(tmp_path):
    for name in ("a.csv.gz", "b.csv", "c.tar.gz", "d.jsonl"):
        (tmp_path / name).write_bytes(b"x")

    assert [path.name for path in files_in(tmp_path)] == ["a.csv.gz", "b.csv", "d.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "but an HDF5 file"),
        ("a.mat", b"MATLAB 5.0 MAT-file" + bytes(200), "but a MATLAB file"),
        ("a.db", b"SQLite format 3\x00" + bytes(64), "but an SQLite database"),
        ("a.pkl", b"\x80\x04\x95" + bytes(64), "but a Python pickle"),
        ("a.avro", b"Obj\x01" + bytes(64), "but an Avro file"),
        ("a.csv", b"<!DOCTYPE html><html><body>log in</body></html>\n" * 5, "but a web page (HTML)"),
        ("a.csv", b"<?xml version='1.0'?>\n<rows/>\n", "but an XML document"),
        ("a.csv", b"a,b\n1,2\n3,\x00\n" + b"5,6\n" * 50, "holds zero bytes, first in line 3"),
        ("a.gz", gzip.compress(CSV, mtime=0)[:60], "a.gz can't be unpacked"),
        ("a.tar.gz", gzip.compress(bytes(257) + b"ustar" + bytes(300), mtime=0), "but a tar archive"),
        ("a.json", b'{"rows": [[1, 2], [3, 4]]}x', "can't be read as JSON"),
        ("a.json", json.dumps([1, 2, 3]).encode(), "is JSON, but no table"),
        ("a.jsonl", b'{"a": 1}\n{"a": broken\n', "can't be read as JSON"),
        ("a.feather", b"ARROW1" + bytes(64), "can't be read as Feather"),
        ("a.orc", b"ORC" + bytes(64), "can't be read as ORC"),
        ("a.npy", b"\x93NUMPY" + bytes(64), "can't be read as NumPy"),
        ("a.arff", b"@relation x\n@attribute a string\n@data\n'x'\n", "is an ARFF file that can't be read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, name, content, part):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_files([tmp_path / name])

    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_objects_in_arrays_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(DataError, match="can't be read as NumPy arrays of numbers or texts"):
        read_files([tmp_path / "a.npy"])


def test_an_array_of_images_is_refused_with_its_shape(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 8, 8)))

    with pytest.raises(DataError, match=r"holds no table: its arrays are array \(5, 8, 8\)"):
        read_files([tmp_path / "a.npy"])


def test_a_zip_without_a_table_says_what_it_holds(tmp_path):
    zipped(tmp_path / "a.zip", notes__md=b"hello")

    with pytest.raises(DataError, match=r"a.zip holds no table \(found: notes.md\)"):
        read_files([tmp_path / "a.zip"])


ODD = [{"x": float(i), "note": "fine", "on": True} for i in range(30)]
ODD[7] = {"x": "n/a", "note": 3, "on": 1, "late": 1.5}


@pytest.mark.parametrize("form", ["lines", "list"])
def test_json_rows_with_other_keys_and_types_than_the_first_lose_nothing(tmp_path, form):
    """Arrow refuses lines whose types change, and of a list it takes the keys of the first row only."""
    path = tmp_path / "a.json"
    path.write_text("\n".join(map(json.dumps, ODD)) if form == "lines" else json.dumps(ODD))

    frame = read_files([path])[0][1]

    assert list(frame.columns) == ["x", "note", "on", "late"]
    assert frame["x"].tolist()[6:9] == ["6.0", "n/a", "8.0"]
    assert frame["note"].tolist()[6:8] == ["fine", "3"]
    assert frame["late"].tolist()[7] == 1.5


def test_numbers_beyond_64_bits_in_json_are_kept_as_text(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"x": 2**70}, {"x": 1}]))

    assert read_files([tmp_path / "a.json"])[0][1]["x"].tolist() == [str(2**70), "1"]


def test_names_and_values_of_arff_may_have_any_letters(tmp_path):
    """The library encodes them as ASCII."""
    rows = "\n".join(f"{i},'{('Bäckerei', 'café &amp; bar')[i % 2]}'" for i in range(20))
    (tmp_path / "a.arff").write_text(
        f"@relation läden\n@attribute größe numeric\n@attribute shop {{'Bäckerei','café &amp; bar'}}\n@data\n{rows}\n",
        encoding="utf-8",
    )

    frame = read_files([tmp_path / "a.arff"])[0][1]

    assert list(frame.columns) == ["größe", "shop"]
    assert frame["shop"].tolist()[:2] == ["Bäckerei", "café &amp; bar"]
