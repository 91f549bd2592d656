"""Quotation marks that are never closed, and cells that are long or have several lines for good reasons."""

import numpy as np
import pytest

from ad_core.data.files.tabular_files import read_files
from ad_core.errors import DataError

N = 400


def rows(n: int = N) -> list[str]:
    x = np.random.default_rng(0).normal(20, 5, n)
    return [f"{i},{x[i]:.2f},word {i}" for i in range(n)]


def read(folder, lines, head="id,x,remark"):
    (folder / "a.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_files([folder / "a.csv"])[0][1]


@pytest.mark.parametrize("at", [3, 350, N - 2])
def test_rows_behind_a_quotation_mark_that_is_never_closed_are_not_lost_silently(tmp_path, at):
    lines = rows()
    lines[at] = f'{at},1.5,"12 inch'

    with pytest.raises(DataError, match=rf"'remark' in row {at + 1} of a.csv .* so {N - 1 - at} lines"):
        read(tmp_path, lines)


def test_rows_between_two_stray_quotation_marks_are_not_lost_silently(tmp_path):
    lines = rows()
    lines[200], lines[230] = '200,1.5,"12 inch', '230,1.5,14 inch"'

    with pytest.raises(DataError, match=r"in row 201 of a.csv .* so 30 lines"):
        read(tmp_path, lines)


@pytest.mark.parametrize("cell", ["first line\nsecond, line\n3, 4, five", "Hello,\nyours,\nA, B, C", "12 inch\n\n"])
def test_texts_of_several_lines_are_cells(tmp_path, cell):
    lines = rows()
    lines[350] = f'350,1.5,"{cell}"'

    frame = read(tmp_path, lines)

    assert len(frame) == N
    assert frame["remark"][350] == cell


@pytest.mark.parametrize("at", [3, 350])
def test_a_cell_of_more_letters_than_the_csv_module_takes_is_read(tmp_path, at):
    lines = rows()
    lines[at] = f"{at},1.5,{'x' * 140_000}"

    assert read(tmp_path, lines)["remark"].str.len()[at] == 140_000


def test_behind_a_very_long_cell_the_line_that_does_not_fit_is_still_named(tmp_path):
    lines = rows()
    lines[350], lines[380] = f"350,1.5,{'x' * 140_000}", "380,2"

    with pytest.raises(DataError, match=r"Line 382 of a.csv has 2 cells, but the first line has 3"):
        read(tmp_path, lines)


def test_a_header_of_more_letters_than_the_csv_module_takes_is_read(tmp_path):
    assert read(tmp_path, rows(), head=f"id,x,{'y' * 140_000}").shape == (N, 3)
