"""A file counts once however often it is given, and files of one name are told apart by their folders."""

from pathlib import Path

from ad_core.data.files.each_once import each_once, short_names


def test_a_path_counts_once_whichever_way_it_is_written(tmp_path):
    file, other = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (file, other):
        path.write_text("x\n1\n")
    (tmp_path / "link.csv").symlink_to(file)
    ways = [file, tmp_path / "sub" / ".." / "a.csv", other, tmp_path / "link.csv", file]

    kept, said = each_once(ways)

    assert kept == [file, other]
    assert said == ["Given more than once, and read once: a.csv, link.csv."]
    assert each_once([file, other]) == ([file, other], [])


def test_equal_files_of_different_paths_are_different_files(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n1\n")

    assert each_once([tmp_path / "a.csv", tmp_path / "b.csv"])[1] == []


def test_names_have_as_many_folders_as_it_takes():
    def of(*paths: str) -> list[str]:
        return short_names([Path(path) for path in paths])

    assert of("/data/x/a.csv", "/data/x/b.csv") == ["a.csv", "b.csv"]
    assert of("/data/x/a.csv", "/data/y/a.csv") == ["x/a.csv", "y/a.csv"]
    assert of("/data/1/x/a.csv", "/data/2/x/a.csv", "/data/2/b.csv") == ["1/x/a.csv", "2/x/a.csv", "data/2/b.csv"]
