"""One picture from its bytes: formats, modes, orientation, and everything that can be wrong with a file."""

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ad_core.data.files.image_files import calm_pillow, decode, load_image, read_header, thumbnail
from ad_core.errors import DataError

RED_ON_GREY = np.full((12, 16, 3), 100, np.uint8)
RED_ON_GREY[2:6, 3:9] = (200, 20, 20)
GREY = RED_ON_GREY[..., 0]


def saved(path, image, **options):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(path, **options)
    return str(path)


def png_of_size(path, width, height):
    """A few bytes that claim to be a grey PNG of any size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )
    return str(path)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.dib", "a.tif", "a.tiff", "a.gif"])
def test_lossless_formats_give_the_very_pixels(tmp_path, name):
    file = saved(tmp_path / name, RED_ON_GREY)

    header = read_header(file)

    assert (header.height, header.width, header.note, header.grey) == (12, 16, "", False)
    assert np.array_equal(np.asarray(decode(file)), RED_ON_GREY)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff_gives_the_very_pixels(tmp_path, compression):
    assert np.array_equal(np.asarray(decode(saved(tmp_path / "a.tif", GREY, compression=compression))), GREY)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.jfif", "a.webp"])
def test_lossy_formats_give_nearly_the_pixels(tmp_path, name):
    file = saved(tmp_path / name, np.full((16, 16, 3), 90, np.uint8), quality=95)

    assert read_header(file).note == ""
    # 6 of 255: what quality 95 may change in an even picture
    assert np.abs(np.asarray(decode(file)).astype(int) - 90).max() <= 6


@pytest.mark.parametrize(
    ("mode", "result", "grey"),
    [
        ("1", "L", True),
        ("L", "L", True),
        ("LA", "L", True),
        ("P", "RGB", False),
        ("RGB", "RGB", False),
        ("RGBA", "RGB", False),
        ("CMYK", "RGB", False),
        ("YCbCr", "RGB", False),
        ("LAB", "RGB", False),
    ],
)
def test_every_mode_becomes_grey_or_rgb(tmp_path, mode, result, grey):
    name = "a.tif" if mode in ("CMYK", "YCbCr", "LAB") else "a.png"
    picture = Image.new("LAB", (16, 12)) if mode == "LAB" else Image.fromarray(RED_ON_GREY).convert(mode)
    file = saved(tmp_path / name, picture)

    header, image = read_header(file), decode(file)

    assert (header.note, header.grey, header.mode) == ("", grey, mode)
    assert (image.mode, image.size) == (result, (16, 12))


def test_cmyk_jpeg_comes_out_in_its_colours(tmp_path):
    file = saved(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=95)

    red, green, blue = np.asarray(decode(file)).reshape(-1, 3).mean(0)

    assert red > 200 > 60 > max(green, blue)


def test_a_palette_of_greys_counts_as_grey(tmp_path):
    picture = Image.fromarray(GREY).convert("P")
    picture.putpalette([level for k in range(256) for level in (k, k, k)])

    assert read_header(saved(tmp_path / "a.png", picture)).grey
    assert np.array_equal(np.asarray(decode(str(tmp_path / "a.png")).convert("L")), GREY)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_keep_their_numbers(tmp_path, name):
    deep = (np.arange(16 * 12, dtype=np.uint16) * 300).reshape(12, 16)
    file = saved(tmp_path / name, deep)

    image = decode(file)

    assert read_header(file).mode == "I;16"
    assert image.mode == "F"
    assert np.array_equal(np.asarray(image), deep.astype(np.float32))


def test_floats_that_are_no_numbers_are_refused(tmp_path):
    values = np.zeros((12, 16), np.float32)
    values[3, 3] = np.nan

    with pytest.raises(DataError, match="no number or infinite"):
        decode(saved(tmp_path / "a.tif", values))


def test_transparency_is_laid_over_white(tmp_path):
    picture = np.zeros((12, 16, 4), np.uint8)
    picture[:, :8] = (10, 20, 30, 255)

    seen = np.asarray(decode(saved(tmp_path / "a.png", picture)))

    assert seen[0, 0].tolist() == [10, 20, 30]
    assert seen[0, 15].tolist() == [255, 255, 255]


def test_a_transparent_palette_is_laid_over_white(tmp_path):
    picture = Image.fromarray(RED_ON_GREY).convert("P")
    saved(tmp_path / "a.png", picture, transparency=bytes(256))  # every colour is wholly transparent

    assert np.asarray(decode(str(tmp_path / "a.png"))).min() == 255


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_upright_and_the_header_knows_their_own_size(tmp_path, name, turn):
    """Bright where the upright picture has its upper left corner, whichever way it is stored."""
    upright = np.full((16, 32), 20, np.uint8)
    upright[:8, :8] = 230
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[turn]
    exif = Image.Exif()
    exif[274] = turn
    file = saved(tmp_path / name, Image.fromarray(np.ascontiguousarray(stored)), exif=exif)

    header, seen = read_header(file), np.asarray(decode(file).convert("L")).astype(int)

    assert (header.height, header.width) == seen.shape == (16, 32)
    assert np.abs(seen - upright).max() < 60  # lossy formats blur the edge


def test_of_several_frames_the_first_is_used_and_the_header_says_so(tmp_path):
    frames = [Image.fromarray(np.full((12, 16), level, np.uint8)) for level in (10, 200)]
    for name in ("a.gif", "a.tif"):
        file = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])

        assert read_header(file).frames
        assert set(np.asarray(decode(file).convert("L")).ravel().tolist()) == {10}
    assert not read_header(saved(tmp_path / "one.gif", frames[0])).frames


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_tiny_pictures_are_named_as_too_small(tmp_path, size):
    file = saved(tmp_path / "a.png", np.zeros(size, np.uint8))

    assert read_header(file).note == f"Too small: {size[1]} x {size[0]} px, the shorter side must have 8 px at least."


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_decompression_bomb_is_named_and_never_decoded(tmp_path, side):
    """At 12,000 px Pillow only warns, at 60,000 px it raises."""
    file = png_of_size(tmp_path / "bomb.png", side, side)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever the process makes of warnings
        assert read_header(file).note.startswith("Too large: more than 89 million pixels.")
        with calm_pillow(), pytest.raises(DataError, match="Too large"):
            decode(file)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%!PS-Adobe-3.0 EPSF-3.0"]
)
def test_what_is_no_picture_is_named(tmp_path, content):
    file = tmp_path / "a.png"
    file.write_bytes(content)

    assert read_header(str(file)).note != ""
    with pytest.raises(DataError):
        decode(str(file))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.bmp", "a.webp", "a.gif"])
def test_a_cut_off_picture_is_refused(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = tmp_path / name
    saved(file, noise)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    with calm_pillow(), pytest.raises(DataError):
        decode(str(file))


def test_a_flipped_bit_in_a_png_is_found_without_decoding(tmp_path):
    file = tmp_path / "a.png"
    saved(file, GREY)
    content = bytearray(file.read_bytes())
    content[content.index(b"IDAT") + 10] ^= 1
    file.write_bytes(content)

    assert read_header(str(file)).note.startswith("Damaged image")


def test_a_missing_file_is_named(tmp_path):
    assert "can't be read" in read_header(str(tmp_path / "gone.png")).note


def test_odd_metadata_do_not_cost_a_picture(tmp_path):
    """Pillow warns of this EXIF block; warnings are errors in these tests."""
    file = tmp_path / "a.jpg"
    saved(file, GREY, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\0")

    with calm_pillow():
        assert read_header(str(file)).note == ""
    assert load_image(str(file)).size == (16, 12)


def test_the_header_hashes_the_bytes_of_the_file(tmp_path):
    one, same, other = (saved(tmp_path / f"{k}.png", GREY + add) for k, add in enumerate((0, 0, 1)))

    assert read_header(one).sha == read_header(same).sha != read_header(other).sha


def test_a_large_jpeg_may_be_decoded_smaller_but_not_under_twice_the_asked_side(tmp_path):
    file = saved(tmp_path / "a.jpg", np.zeros((640, 800), np.uint8))

    assert decode(file).size == (800, 640)
    assert decode(file, near=64).size == (200, 160)


def test_deep_greys_are_stretched_for_the_screen(tmp_path):
    deep = np.linspace(1000, 3000, 16 * 12).reshape(12, 16).astype(np.uint16)
    image = load_image(saved(tmp_path / "a.png", deep))

    assert image.mode == "L"
    assert image.getextrema() == (0, 255)


def test_an_even_deep_picture_can_be_shown(tmp_path):
    assert load_image(saved(tmp_path / "a.png", np.full((12, 16), 5000, np.uint16))).getextrema() == (0, 0)


@pytest.mark.parametrize("picture", [RED_ON_GREY, GREY, GREY.astype(np.uint16) * 50])
def test_a_thumbnail_is_a_png_that_keeps_the_proportions(tmp_path, picture):
    small = Image.open(BytesIO(thumbnail(saved(tmp_path / "a.png", picture), 8)))

    assert (small.format, small.size) == ("PNG", (8, 6))
