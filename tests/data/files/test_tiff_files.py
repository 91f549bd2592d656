"""TIFF files of every number format: read as they were written, or refused by a name that says what they are."""

import logging
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from ad_core.data.files.image_files import decode, load_image, read_header
from ad_core.data.files.tiff_files import odd_tiff
from ad_core.errors import DataError

Y, X = np.mgrid[:24, :32]
RAMP = (Y * 32 + X) / (24 * 32 - 1)  # (24, 32), 0..1, no row or column like another
PACKED = {"plain": {}, "deflate": {"compression": "zlib"}, "tiled": {"tile": (16, 16)}}


def numbers(kind: str) -> np.ndarray:
    """The ramp over nearly all of a number format's range."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return (RAMP * 2 - 0.5).astype(dtype)
    low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return (low + RAMP * 0.9 * (high - low)).astype(dtype)


def written(path, values, **options) -> str:
    tifffile.imwrite(path, values, **options)
    return str(path)


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8"])
def test_greys_of_every_number_format_keep_their_numbers(tmp_path, kind, order, packed):
    values = numbers(kind)
    file = written(tmp_path / "a.tif", values, photometric="minisblack", byteorder=order, **PACKED[packed])

    header, image = read_header(file), decode(file)

    assert (header.note, header.grey, header.height, header.width) == ("", True, 24, 32)
    assert image.mode == ("L" if kind == "u1" else "F")
    assert np.array_equal(np.asarray(image), values.astype(np.uint8 if kind == "u1" else np.float32))


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize(("kind", "white"), [("u1", 255), ("u2", 65_535), ("u4", 4_294_967_295), ("i2", 0), ("f4", 0)])
def test_where_zero_is_white_the_greys_are_inverted(tmp_path, kind, white, packed):
    values = numbers(kind)
    file = written(tmp_path / "a.tif", values, photometric="miniswhite", **PACKED[packed])

    assert np.array_equal(np.asarray(decode(file), dtype=np.float32), np.float32(white - values.astype(np.float64)))


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize(("kind", "bits"), [("u1", 8), ("u2", 16), ("u4", 32)])
def test_colours_in_separate_planes_are_those_of_one_plane(tmp_path, kind, bits, planes, packed):
    colours = np.stack([numbers(kind), numbers(kind)[::-1], numbers(kind)[:, ::-1]], -1)
    stored = colours if planes == "contig" else colours.transpose(2, 0, 1)
    file = written(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planes, **PACKED[packed])

    header = read_header(file)

    assert (header.mode, header.grey, header.note) == ("RGB", False, "")
    assert header.reduced == ("" if bits == 8 else "colours of more than 8 bits are cut to their highest 8")
    assert np.array_equal(np.asarray(decode(file)), colours >> (bits - 8))


def test_transparent_colours_of_sixteen_bits_lie_over_white(tmp_path):
    values = np.zeros((4, 24, 32), np.uint16)
    values[3, :, :16] = 65_535
    file = written(tmp_path / "a.tif", values, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"])

    seen = np.asarray(decode(file))

    assert (seen[0, 0].tolist(), seen[0, 31].tolist()) == ([0, 0, 0], [255, 255, 255])


@pytest.mark.parametrize("turn", range(1, 9))
def test_they_are_upright_and_the_header_knows_their_own_size(tmp_path, turn):
    upright = numbers("u4")
    stored = {
        **{1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T},
        **{6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1)},
    }[turn]
    file = written(tmp_path / "a.tif", np.ascontiguousarray(stored), extratags=[(274, "H", 1, turn, False)])

    header = read_header(file)

    assert (header.height, header.width) == (24, 32)
    assert np.array_equal(np.asarray(decode(file)), upright.astype(np.float32))


def test_of_several_images_the_first_is_used_and_the_header_says_so(tmp_path):
    file = written(tmp_path / "a.tif", np.stack([numbers("u4"), numbers("u4")[::-1]]), photometric="minisblack")

    assert read_header(file).frames
    assert np.array_equal(np.asarray(decode(file)), numbers("u4").astype(np.float32))


def test_they_can_be_shown(tmp_path):
    assert load_image(written(tmp_path / "a.tif", numbers("i1"))).getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("values", "options", "what"),
    [
        (np.zeros((24, 32, 3), np.float32), {"photometric": "rgb"}, r"3 x float32 per pixel has colours whose range"),
        (np.zeros((24, 32, 5), np.uint16), {"photometric": "minisblack"}, r"5 x uint16 per pixel is neither grey nor"),
        (np.zeros((5, 24, 32), np.uint8), {"planarconfig": "separate"}, r"5 x uint8 per pixel is neither grey nor"),
        (np.zeros((24, 32), np.complex64), {}, r"1 x complex64 per pixel is neither grey nor in colours"),
    ],
)
def test_kinds_that_are_no_picture_are_named(tmp_path, values, options, what):
    options = {"photometric": "minisblack", "planarconfig": "contig", **options}
    file = written(tmp_path / "a.tif", values, **options)

    assert what in read_header(file).note
    with pytest.raises(DataError, match=what):
        decode(file)


def test_a_packing_that_can_not_be_undone_is_named(tmp_path):
    """The tag says LZW, for which tifffile needs a library of 20 MB."""
    file = tmp_path / "a.tif"
    written(file, numbers("u4"))
    content = bytearray(file.read_bytes())
    at = content.index(struct.pack("<HHI", 259, 3, 1))
    content[at + 8 : at + 10] = struct.pack("<H", 5)
    file.write_bytes(content)

    assert "1 x uint32 per pixel, compressed by LZW, can't be read. Save it" in read_header(str(file)).note


def test_bands_that_are_left_out_are_named(tmp_path):
    values = np.dstack([numbers("u1")] * 4)
    file = written(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["unspecified"])

    assert read_header(file).reduced == "only the first 3 of 4 bands are used"
    assert np.array_equal(np.asarray(decode(file)), values[..., :3])


def test_numbers_that_float32_can_not_tell_apart_are_refused(tmp_path):
    file = written(tmp_path / "a.tif", (4_000_000_000 + (RAMP > 0.5)).astype(np.uint32))

    with pytest.raises(DataError, match="4000000000 to 4000000001, differ by less than float32 can tell apart"):
        decode(file)


def test_a_file_that_is_cut_off_is_refused_and_nothing_is_logged_on_the_screen(tmp_path, capfd):
    for name, options in PACKED.items():
        file = tmp_path / f"{name}.tif"
        written(file, np.repeat(np.repeat(numbers("u4"), 8, 0), 8, 1), **options)
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])

        with pytest.raises(DataError, match=r"Damaged image|A TIFF that is damaged"):
            decode(str(file))
    assert capfd.readouterr().err == ""
    assert logging.getLogger("tifffile").hasHandlers()


def test_pixels_that_unpack_to_more_than_the_image_has_are_refused(tmp_path):
    """A bomb: 100 MB in 100 kB. The strip takes the place of the right one at the end of the file."""
    file = tmp_path / "a.tif"
    written(file, numbers("u4"), compression="zlib")
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        at, counts = page.dataoffsets[0], page.tags["StripByteCounts"]
        place, width = counts.valueoffset, {"SHORT": 2, "LONG": 4}[counts.dtype.name]
    bomb = zlib.compress(bytes(20_000_000))
    content = bytearray(file.read_bytes()[:at]) + bomb
    content[place : place + width] = len(bomb).to_bytes(width, "little")
    file.write_bytes(content)

    with pytest.raises(DataError, match="unpack to more than the image has"):
        decode(str(file))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_what_pillow_reads_rightly_is_left_to_it(tmp_path, name):
    for values in (numbers("u1"), numbers("u2"), np.dstack([numbers("u1")] * 3)):
        Image.fromarray(values).save(tmp_path / name)

        assert odd_tiff((tmp_path / name).read_bytes()) is None
