"""Pixels without a value: not finite, or a number that stands for a missing one, such as -9999 in a height map.

Such a number stretches the range of greys until all others look alike, so an image that holds it is refused by name.
"""

import numpy as np

from ad_core.errors import DataError


def _single(value: float) -> float:
    """The nearest float32, or infinity."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


_STAND_INS = tuple(
    number
    for value in (
        *(-9999, -10_000, -99999, -999999, -32767, -32768, -(2**31), 2**31 - 1, 2**32 - 1),
        *(-3.4028234663852886e38, 3.4028234663852886e38, -1.7014118346046923e38, 1.7014118346046923e38),
        *(-1.7976931348623157e308, 1.7976931348623157e308),
        *(-1e20, 1e20, -1e30, 1e30, -1e32, 9.969209968386869e36),
    )
    for number in (float(value), _single(value))
)
"""Numbers that GIS programs, cameras and netCDF write for a missing value, in float64 and float32; in float16 -9999 is
-10,000."""
_ADVICE = "Fill them, or cut them away, and save the image again."


def check_all_present(values: np.ndarray, stated: object, unsigned: bool) -> None:
    """Raise a DataError where pixels have no value.

    Args:
        values: (y, x), the numbers of the file.
        stated: what the file itself says of its missing values (the tag GDAL_NODATA), if anything.
        unsigned: the file holds unsigned integers; their 0 is black, although files often state it as missing.
    """
    finite = np.isfinite(values)
    if not finite.all():
        raise DataError(f"The image has {(~finite).sum():,} pixels that are no number or infinite. {_ADVICE}")
    said = _numbers(stated)
    for value in dict.fromkeys((float(values.min()), float(values.max()), *said)):
        missing = values == value
        if not missing.any() or not (value in said or value in _STAND_INS):
            continue
        if (value in said and not unsigned) or _lies_far_off(value, values[~missing], 1.0 if unsigned else 0.1):
            why = "the file says so" if value in said else "it lies far from all others"
            raise DataError(
                f"The image has {missing.sum():,} of {missing.size:,} pixels without a value: they hold {value:.7g}, "
                f"which stands for a missing one ({why}). {_ADVICE}"
            )


def _lies_far_off(value: float, others: np.ndarray, share: float) -> bool:
    """Whether a number is further from all others than this share of the range that they span."""
    if not others.size:
        return True
    low, high = float(others.min()), float(others.max())
    return max(low - value, value - high) > share * (high - low)


def _numbers(stated: object) -> tuple[float, ...]:
    """What the file states, as float64 and float32; nothing where it states no finite number."""
    try:
        number = float(str(stated).strip("\0 ").replace(",", "."))
    except ValueError:
        return ()
    return (number, _single(number)) if np.isfinite(number) else ()
