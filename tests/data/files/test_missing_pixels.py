"""Pixels without a value: a number that stands for a missing one is never taken for a grey."""

import numpy as np
import pytest
import tifffile

from ad_core.data.files.image_files import decode
from ad_core.data.files.missing_pixels import check_all_present
from ad_core.errors import DataError

HEIGHTS = np.linspace(3, 250, 16 * 24).reshape(16, 24)


def with_hole(value: float, kind: str = "f4") -> np.ndarray:
    """The heights, 48 of them replaced by a number."""
    values = HEIGHTS.astype(kind)
    values[:2] = np.array(value).astype(kind)
    return values


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *[(-9999, kind) for kind in ("i2", "i4", "f2", "f4", "f8")],
        *[(-32768, "i2"), (-(2**31), "i4"), (2**32 - 1, "u4")],
        *[(np.finfo(kind).min, kind) for kind in ("f4", "f8")],
        *[(1e20, "f4"), (9.969209968386869e36, "f4")],
    ],
)
def test_a_usual_stand_in_that_lies_far_off_is_refused_with_its_count(tmp_path, value, kind):
    tifffile.imwrite(tmp_path / "a.tif", with_hole(value, kind))

    with pytest.raises(DataError, match=r"48 of 384 pixels without a value: they hold .*, which stands for a missing"):
        decode(str(tmp_path / "a.tif"))


def test_an_image_of_nothing_but_the_stand_in_is_refused():
    with pytest.raises(DataError, match="384 of 384 pixels without a value"):
        check_all_present(np.full((16, 24), -9999, np.float32), None, unsigned=False)


@pytest.mark.parametrize(("stated", "kind"), [("0", "f4"), ("-1", "i2"), ("-9999,0", "f4"), ("7 \0", "f8")])
def test_what_the_file_states_is_missing_wherever_it_lies(tmp_path, stated, kind):
    number = float(stated.strip(" \0").replace(",", "."))
    tifffile.imwrite(tmp_path / "a.tif", with_hole(number, kind), extratags=[(42113, "s", 0, stated, False)])

    with pytest.raises(DataError, match=r"48 of 384 .* \(the file says so\)"):
        decode(str(tmp_path / "a.tif"))


@pytest.mark.parametrize(
    ("values", "stated"),
    [
        (HEIGHTS, None),
        (HEIGHTS, "-9999"),  # stated, but no pixel holds it
        (HEIGHTS, "nan"),
        (HEIGHTS, "no number"),
        (np.linspace(-9999, 200_000, 384), None),  # a depth that happens to end there
        (np.linspace(-32768, 32767, 384).astype("i2"), None),
        (np.full((16, 24), 5.0), None),
    ],
)
def test_other_numbers_are_greys(values, stated):
    check_all_present(np.asarray(values), stated, unsigned=False)


def test_of_unsigned_numbers_the_black_border_stays_although_the_file_calls_it_missing(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", with_hole(0, "u2"), extratags=[(42113, "s", 0, "0", False)])

    assert decode(str(tmp_path / "a.tif")).getextrema()[0] == 0


def test_of_unsigned_numbers_a_missing_one_that_would_dim_all_others_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", with_hole(65_535, "u2"), extratags=[(42113, "s", 0, "65535", False)])

    with pytest.raises(DataError, match="they hold 65535"):
        decode(str(tmp_path / "a.tif"))
