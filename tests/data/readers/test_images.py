"""The reader of images: from files, folders and zips to items, with every picture accounted for."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from ad_core.data.dataset import Declared, Role
from ad_core.data.images import pixels as image_items
from ad_core.data.images.pixels import empty_items
from ad_core.data.reader import READERS
from ad_core.data.readers.images import Images, ImagesSettings
from ad_core.errors import DataError, ResourceError, SettingsError
from ad_core.types import Modality

RNG = np.random.default_rng(7)


def picture(path: Path, size=(20, 30), colour=False, deep=False, **options) -> Path:
    """A noise picture of a height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (*size, 3) if colour else size
    values = RNG.integers(0, 4096, shape).astype(np.uint16) if deep else RNG.integers(0, 256, shape).astype(np.uint8)
    Image.fromarray(values).save(path, **options)
    return path


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*"), reverse=True):  # not in the order in which they are to be read
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def opened(*sources: Path, **declared):
    return Images.open(list(sources), Declared(**declared))


def fitted(dataset, **settings) -> Images:
    reader = Images(ImagesSettings.parse({"size": 16, **settings}, "reader"))
    reader.fit(dataset, dataset.is_training)
    return reader


@pytest.fixture
def plates(tmp_path) -> Path:
    """Mixed formats and sizes; two good, one scratched, and a file that is no picture."""
    folder = tmp_path / "plates"
    picture(folder / "good" / "b.png")
    picture(folder / "good" / "a.jpg", (40, 24), quality=90)
    picture(folder / "scratch" / "c.bmp", (16, 16))
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_the_reader_is_registered_for_images():
    assert READERS.get("images") is Images
    assert Images.modalities == {Modality.IMAGE}


def test_a_folder_is_read_in_order_of_paths_and_every_picture_is_a_row(plates):
    dataset = opened(plates)

    assert dataset.rows["row_id"].tolist() == ["good/a.jpg", "good/b.png", "scratch/c.bmp"]
    assert dataset.data[["height", "width"]].to_numpy().tolist() == [[40, 24], [20, 30], [16, 16]]
    assert dataset.data["folder"].tolist() == ["good", "good", "scratch"]
    assert dataset.data["mode"].tolist() == ["L", "L", "L"]
    assert (dataset.modality, dataset.name) == (Modality.IMAGE, "plates")
    assert dataset.notices[0] == "Left out, as their names do not end like those of images: notes.txt."


def test_a_zip_is_the_same_data_set_as_its_folder(plates, tmp_path):
    folder, archive = opened(plates), opened(zipped(plates, tmp_path / "plates.zip"))

    assert archive.rows.equals(folder.rows)
    assert archive.data.drop(columns="file").equals(folder.data.drop(columns="file"))
    assert archive.fingerprint == folder.fingerprint
    assert np.array_equal(fitted(archive).item_set(archive).x, fitted(folder).item_set(folder).x)


def test_single_files_are_known_by_their_path_from_the_folder_that_holds_them_all(plates):
    one = opened(plates / "good" / "b.png")
    three = opened(plates / "scratch" / "c.bmp", plates / "good" / "b.png", plates / "good" / "a.jpg")

    assert one.rows["row_id"].tolist() == ["b.png"]
    assert three.rows["row_id"].tolist() == ["scratch/c.bmp", "good/b.png", "good/a.jpg"]


def test_of_several_folders_and_zips_each_path_starts_with_its_source(plates, tmp_path):
    dataset = opened(plates / "good", zipped(plates / "scratch", tmp_path / "new.zip"))

    assert dataset.rows["row_id"].tolist() == ["good/a.jpg", "good/b.png", "new/c.bmp"]
    assert dataset.name == "good and 1 more"


def test_ids_of_folders_with_one_name_say_which_one(plates, tmp_path):
    picture(tmp_path / "may" / "plates" / "a.png")

    def ids(**declared: bool) -> list[str]:
        return opened(plates, tmp_path / "may" / "plates", **declared).rows["row_id"].tolist()

    assert ids(ids_by_source=True)[2:] == [f"{tmp_path.name}/plates/scratch/c.bmp", "may/plates/a.png"]
    assert ids()[2:] == ["plates/scratch/c.bmp", "plates/a.png"]  # as data sets of older versions have them


def test_images_that_are_given_twice_are_read_once_and_that_is_said(plates):
    twice, inside = opened(plates, plates), opened(plates, plates / "good", plates / "good" / "a.jpg")

    assert twice.rows["row_id"].tolist() == opened(plates).rows["row_id"].tolist()
    assert twice.notices[0] == "Given more than once, and read once: plates."
    assert inside.rows["row_id"].tolist() == ["plates/good/a.jpg", "plates/good/b.png", "plates/scratch/c.bmp"]
    assert inside.notices[0] == "Given more than once, and read once: good/a.jpg, good/b.png, a.jpg."


def test_hidden_files_and_folders_are_no_data(plates):
    picture(plates / ".cache" / "x.png")
    (plates / "good" / "._a.jpg").write_bytes(b"a shadow copy")

    assert len(opened(plates)) == 3


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_source_without_pictures_is_refused_and_says_what_it_holds(tmp_path, kind):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("x")
    source = folder if kind == "folder" else zipped(folder, tmp_path / "texts.zip")

    with pytest.raises(DataError, match=r"no images in texts.* \(found: 1 x \.txt\)"):
        opened(source)


def test_a_source_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist"):
        opened(tmp_path / "nowhere")


def test_a_zip_with_a_path_outside_its_folder_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../a.png", b"x")

    with pytest.raises(DataError, match="outside its folder"):
        opened(tmp_path / "evil.zip")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_one_broken_picture_among_good_ones_is_named_and_left_out(plates, tmp_path, kind):
    (plates / "good" / "aa.png").write_bytes(b"not a picture")
    dataset = opened(plates if kind == "folder" else zipped(plates, tmp_path / "plates.zip"))

    item_set = fitted(dataset).item_set(dataset)

    assert item_set.rows["row_id"].tolist() == ["good/a.jpg", "good/aa.png", "good/b.png", "scratch/c.bmp"]
    assert item_set.rows["note"].str.startswith("Not an image, or damaged").tolist() == [False, True, False, False]
    assert item_set.rows["sample"].tolist() == [0, -1, 1, 2]
    assert np.isnan(item_set.reduce(np.ones(3))).tolist() == [False, True, False, False]
    assert dataset.notices[0].startswith("1 of 4 images can't be used: good/aa.png (Not an image, or damaged")


def test_a_picture_whose_damage_shows_only_when_decoded_is_named_too(plates):
    file = picture(plates / "good" / "aa.jpg", (200, 200))
    file.write_bytes(file.read_bytes()[:3000])
    dataset = opened(plates)

    item_set = fitted(dataset).item_set(dataset)

    assert dataset.rows["note"].tolist() == [""] * 4
    assert item_set.rows["note"].str.startswith("Damaged image").tolist() == [False, True, False, False]
    assert len(item_set) == 3
    assert item_set.notices[0].startswith("1 of 4 images can't be used: good/aa.jpg (Damaged image")
    chosen = item_set.items_within(np.array([True, True, False, True]))
    assert item_set.row_ids(chosen) == ["good/a.jpg", "scratch/c.bmp"]
    assert np.array_equal(item_set.take(chosen)[1] * 255, fitted(dataset).item_set(opened(plates / "scratch")).x[0])


def test_a_picture_that_goes_away_after_opening_is_named(plates):
    dataset = opened(plates)
    reader = fitted(dataset)
    (plates / "good" / "b.png").unlink()

    assert "can't be read" in reader.item_set(dataset).rows["note"][1]


def test_broken_pictures_alone_are_refused(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")

    with pytest.raises(DataError, match=r"None of the 2 images can be used. The first, a\.png: Not an image"):
        opened(tmp_path)


def test_pictures_that_all_fail_to_decode_are_refused(plates):
    dataset = opened(plates)
    reader = fitted(dataset)
    for file in plates.rglob("*.*"):
        file.write_bytes(b"overwritten")

    with pytest.raises(DataError, match=r"No image can be decoded. The first, good/a\.jpg"):
        reader.item_set(dataset)
    with pytest.raises(DataError, match="Only 0 of the 2 training images can be decoded"):
        fitted(dataset)


def test_a_picture_of_one_pixel_is_named(plates):
    picture(plates / "good" / "dot.png", (1, 1))

    dataset = opened(plates)

    assert dataset.rows["note"].tolist()[2].startswith("Too small: 1 x 1 px")
    assert dataset.is_training.tolist() == [True, True, False, False]


def test_grey_pictures_have_one_channel_and_coloured_ones_three(plates):
    grey = fitted(opened(plates)).shape
    picture(plates / "good" / "d.png", colour=True)
    colour = fitted(opened(plates)).shape

    assert (grey.size, grey.parts.names) == ((1, 16, 16), ("grey",))
    assert (colour.size, colour.parts.names) == ((3, 16, 16), ("red", "green", "blue"))


def test_the_colour_setting_wins_over_what_the_files_hold(plates):
    assert fitted(opened(plates), color="rgb").shape.size == (3, 16, 16)
    picture(plates / "good" / "d.png", colour=True)
    assert fitted(opened(plates), color="grey").shape.size == (1, 16, 16)


def test_only_the_rows_that_teach_decide_on_the_channels(plates):
    picture(plates / "scratch" / "d.png", colour=True)

    assert fitted(opened(plates, only=("folder=good",))).shape.size == (1, 16, 16)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK"])
def test_an_even_picture_keeps_its_brightness_whatever_its_mode(tmp_path, mode):
    for name, level in (("a.tif", 60), ("b.tif", 180)):
        image = Image.new("RGB", (20, 30), (level, level, level))
        (image.quantize(4) if mode == "P" else image.convert(mode)).save(tmp_path / name)
    dataset = opened(tmp_path)

    x = fitted(dataset, color="rgb").item_set(dataset).take(slice(None))

    # 1 of 255: inks round
    assert np.allclose(x.numpy()[0], 60 / 255, atol=1 / 255)
    assert np.allclose(x.numpy()[1], 180 / 255, atol=1 / 255)


def test_shrinking_averages_so_that_fine_patterns_do_not_alias(tmp_path):
    """Stripes of one pixel, 64 px wide, become even grey at 16 px."""
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    Image.fromarray(stripes).save(tmp_path / "a.png")
    Image.fromarray(255 - stripes).save(tmp_path / "b.png")
    dataset = opened(tmp_path)

    inner = fitted(dataset).item_set(dataset).x[0, 0, 2:-2, 2:-2].astype(float)

    assert np.abs(inner - 127.5).max() < 3


def test_sixteen_bit_pictures_fill_the_middle_of_the_range(tmp_path):
    """A 12-bit camera: 0..4095 in 16 bits. The training range spans 10 % to 90 %; brighter ones stay below 1."""
    ramp = np.linspace(100, 4000, 16 * 16).reshape(16, 16).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    Image.fromarray(ramp[::-1].copy()).save(tmp_path / "b.tif")
    dataset = opened(tmp_path)
    reader = fitted(dataset)

    item_set = reader.item_set(dataset)
    x = item_set.take(slice(None))

    assert item_set.x.dtype == np.uint16
    assert np.allclose((float(x.min()), float(x.max())), (0.1, 0.9), atol=1e-4)
    Image.fromarray(ramp + np.uint16(300)).save(tmp_path / "a.png")
    assert 0.9 < float(reader.item_set(opened(tmp_path / "a.png")).take(slice(None)).max()) < 1.0


def test_eight_bit_training_reads_sixteen_bits_as_the_same_brightness_and_notes_it(tmp_path, plates):
    Image.fromarray(np.full((20, 20), 100 * 257, np.uint16)).save(tmp_path / "deep.png")
    reader, deep = fitted(opened(plates)), opened(tmp_path / "deep.png")

    assert set(reader.item_set(deep).x.ravel().tolist()) == {100}
    assert reader.match(deep) == ["Images with more than 8 bits, while the training images have 8: 1 of 1."]


def test_pictures_of_32_bit_numbers_are_not_compared_with_8_bit_training(tmp_path, plates):
    Image.fromarray(RNG.normal(size=(20, 20)).astype(np.float32)).save(plates / "float.tif")
    reader = fitted(opened(plates, only=("folder=good",)))

    assert "can't be compared" in reader.item_set(opened(plates)).rows["note"][0]


def test_floats_can_be_learnt_from(tmp_path):
    for name in ("a.tif", "b.tif"):
        Image.fromarray(RNG.normal(5, 0.1, (20, 20)).astype(np.float32)).save(tmp_path / name)
    dataset = opened(tmp_path)

    x = fitted(dataset).item_set(dataset).take(slice(None))

    assert np.allclose((float(x.min()), float(x.max())), (0.1, 0.9), atol=1e-3)


def test_deep_pictures_of_one_even_brightness_teach_nothing(tmp_path):
    for name, height in (("a.png", 20), ("b.png", 21)):
        Image.fromarray(np.full((height, 20), 900, np.uint16)).save(tmp_path / name)

    with pytest.raises(DataError, match="the same brightness"):
        fitted(opened(tmp_path))


def test_a_map_is_led_back_to_the_picture_s_own_size(plates):
    """The bright left half of an item's grid must be the left half of the 40 x 24 picture."""
    dataset = opened(plates)
    grid = np.zeros((4, 4))
    grid[:, :2] = 1

    back = fitted(dataset).item_set(dataset).place(grid[None], 0)

    assert back.shape == (40, 24)
    assert back[:, :8].min() > 0.9
    assert back[:, -8:].max() < 0.1


def test_a_picture_that_lies_on_its_side_has_the_size_that_a_viewer_sees(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    for k in range(2):
        picture(tmp_path / f"{k}.jpg", (20, 40), exif=exif)
    dataset = opened(tmp_path)

    item_set = fitted(dataset).item_set(dataset)

    assert item_set.rows[["height", "width"]].to_numpy().tolist() == [[40, 20]] * 2
    assert item_set.place(np.zeros((1, 2, 2)), 0).shape == (40, 20)


def test_a_restored_reader_gives_equal_frames(plates):
    picture(plates / "good" / "deep.png", deep=True)
    dataset = opened(plates, class_column="folder")
    reader = fitted(dataset)
    facts, arrays = reader.state()

    again = Images(reader.settings)
    again.restore(json.loads(json.dumps(facts)), arrays)

    assert again.shape == reader.shape
    assert again.match(dataset) == reader.match(dataset)
    assert np.array_equal(again.item_set(dataset).x, reader.item_set(dataset).x)
    assert again.item_set(dataset).items.equals(reader.item_set(dataset).items)


def test_the_folder_can_be_the_label(plates):
    picture(plates / "top.png")
    dataset = opened(plates, label="folder")

    item_set = fitted(dataset).item_set(dataset)

    assert dataset.rows["label"].tolist()[:3] == [0, 0, 1]
    assert np.isnan(dataset.rows["label"][3])  # in no folder: not known
    assert item_set.rows["label"].equals(dataset.rows["label"])
    assert dataset.schema.one(Role.LABEL) == "folder"
    assert fitted(opened(plates)).item_set(opened(plates)).x.tobytes() == item_set.x.tobytes()  # never trained on


@pytest.mark.parametrize("good", ["good/left", "train/good", "OK", "Normal"])
def test_a_folder_is_normal_by_any_part_of_its_path_in_any_case(tmp_path, good):
    picture(tmp_path / good / "1.png")
    picture(tmp_path / "zz" / "2.png")

    assert opened(tmp_path, label="folder").rows["label"].tolist() == [0, 1]


def test_without_a_normal_folder_no_label_is_known_and_that_is_said(plates):
    dataset = opened(plates / "scratch", plates / "scratch", label="folder")

    assert dataset.rows["label"].isna().all()
    assert any("it is not known which images are normal" in notice for notice in dataset.notices)


def test_the_folder_can_be_the_class(plates):
    train = opened(plates, class_column="folder")
    picture(plates / "dent" / "a.png")
    picture(plates / "top.png")
    new = opened(plates, class_column="folder")
    reader = fitted(train)

    item_set = reader.item_set(new)

    assert train.rows["cls"].tolist() == ["good", "good", "scratch"]
    assert reader.shape.classes == 2
    assert dict(zip(item_set.rows["row_id"], item_set.items["cls"], strict=True)) == {
        "dent/a.png": -1,
        "good/a.jpg": 0,
        "good/b.png": 0,
        "scratch/c.bmp": 1,
        "top.png": -1,
    }
    assert "Images in a folder that no training image was in: 2 of 5." in reader.match(new)
    assert reader.item_set(opened(plates)).items["cls"].tolist() == [-1] * 5


@pytest.mark.parametrize(
    ("only", "teaching"),
    [
        (("folder=good",), ["train/good/1.png", "train/good/deep/2.png"]),
        (("folder=train/good",), ["train/good/1.png", "train/good/deep/2.png"]),
        (("folder = deep ",), ["train/good/deep/2.png"]),
        (("path=new",), ["new/3.png"]),
        (("path=train/", "folder=deep"), ["train/good/deep/2.png"]),
    ],
)
def test_the_rows_that_teach_are_chosen_by_folder_or_path(tmp_path, only, teaching):
    for name in ("train/good/1.png", "train/good/deep/2.png", "new/3.png", "goodish/4.png"):
        picture(tmp_path / name)

    dataset = opened(tmp_path, only=only)

    assert dataset.rows["row_id"][dataset.is_training].tolist() == teaching


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"only": ("folder=none",)}, r"No image fulfils 'folder=none'. The folders are: good, scratch"),
        ({"only": ("folder=good", "path=scratch")}, "No image fulfils all of"),
        ({"only": ("mode=L",)}, "Write folder=NAME, or path=START"),
        ({"label": "defect"}, r"no label 'defect'. It can only be 'folder'"),
        ({"class_column": "camera"}, "no class column 'camera'"),
        ({"id": "serial"}, r"no id column 'serial'. It can only be 'path'"),
        ({"time": "t"}, r"no time column 't'. Leave it out"),
        ({"use": ("height",)}, "no columns to train on, but height was named"),
    ],
)
def test_what_pictures_do_not_have_can_not_be_declared(plates, declared, sentence):
    with pytest.raises(DataError, match=sentence):
        opened(plates, **declared)


def test_the_roles_that_were_found_can_be_declared_again(plates):
    """A new file is opened with every role of the training data spelled out."""
    schema = opened(plates).schema

    again = opened(
        plates,
        id=schema.one(Role.ID),
        ignore=tuple(schema.names(Role.IGNORE)),
        kinds={c.name: c.kind for c in schema.columns},
    )

    assert again.schema == schema


def test_copies_are_named(plates):
    (plates / "scratch" / "copy.png").write_bytes((plates / "good" / "b.png").read_bytes())

    assert "Byte-for-byte copies of another image: scratch/copy.png = good/b.png." in opened(plates).notices


def test_files_of_several_frames_are_named(plates):
    frames = [Image.fromarray(np.full((12, 16), level, np.uint8)) for level in (10, 200)]
    frames[0].save(plates / "moving.gif", save_all=True, append_images=frames[1:])

    assert any("the first is used: moving.gif" in notice for notice in opened(plates).notices)


@pytest.mark.parametrize("copies", [0, 1])
def test_one_picture_is_too_few_to_learn_from(tmp_path, copies):
    file = picture(tmp_path / "a.png")
    for k in range(copies):
        (tmp_path / f"{k}.png").write_bytes(file.read_bytes())

    with pytest.raises(DataError, match="At least two different images are needed"):
        fitted(opened(tmp_path))


def test_new_pictures_of_another_kind_are_described(tmp_path, plates):
    picture(tmp_path / "new" / "large.png", (400, 300), colour=True)
    picture(tmp_path / "new" / "alike.png")
    reader = fitted(opened(plates, folders={"*": "train"}))

    notes = reader.match(opened(tmp_path / "new"))

    assert notes[0].startswith("Images with a side outside the 16 to 40 px of the training images")
    assert notes[1] == "Images with colours, while the training images are grey: 1 of 2."
    assert reader.match(opened(plates)) == []
    assert reader.item_set(opened(tmp_path / "new")).x.shape == (2, 1, 16, 16)


def test_much_larger_pictures_get_a_word_on_what_may_vanish(tmp_path):
    for k in range(2):
        picture(tmp_path / f"{k}.png", (160, 160))
    dataset = opened(tmp_path)

    assert "160 px are resized to 16 px, 10 px to one" in fitted(dataset).item_set(dataset).notices[0]


def test_items_beyond_the_memory_limit_live_in_a_file_that_nobody_sees(plates, tmp_path, monkeypatch):
    dataset = opened(plates)
    reader = fitted(dataset)
    in_memory = reader.item_set(dataset).x
    monkeypatch.setattr(image_items, "IN_MEMORY", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())

    mapped = reader.item_set(dataset).x

    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, in_memory)
    assert set(tmp_path.iterdir()) == before


def test_a_disk_without_room_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(ResourceError, match=r"need 1152921\d+\.\d GB in .*Make room there"):
        empty_items((1 << 30, 1 << 30), np.uint8)


def test_a_table_is_no_source_of_images(plates):
    with pytest.raises(DataError, match="not from a table"):
        Images.open(opened(plates).data, Declared())


@pytest.mark.parametrize(("size", "side"), [((40, 30), 96), ((200, 150), 176), ((2000, 900), 384)])
def test_items_can_be_as_large_as_the_images_within_limits(tmp_path, size, side):
    """Squares of as many pixels, in steps of 16: 200 x 150 is nearly 173 x 173."""
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, size[::-1], dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    dataset = Images.open([tmp_path], Declared())
    reader = Images(ImagesSettings(size=0))

    reader.fit(dataset, np.ones(3, dtype=bool))

    assert reader.shape.size == (1, side, side)


def test_sizes_out_of_range_are_refused():
    with pytest.raises(SettingsError, match=r"reader\.size"):
        ImagesSettings.parse({"size": 20}, "reader")


def test_what_is_not_used_of_the_pixels_is_said_once_for_each_kind(tmp_path):
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, RNG.integers(0, 65536, (20, 30, 3)).astype(np.uint16), photometric="rgb")
    picture(tmp_path / "c.png", colour=True)

    assert opened(tmp_path).notices == (
        "Not all of every pixel is used (colours of more than 8 bits are cut to their highest 8): a.tif, b.tif.",
    )


@pytest.mark.parametrize("kind", ["i1", "u4", "f8"])
def test_other_numbers_than_those_of_the_training_images_are_refused_by_name(tmp_path, kind):
    """An int8 image has no place on the scale of an 8-bit one."""
    for name in ("a.png", "b.png"):
        picture(tmp_path / "train" / name)
    tifffile.imwrite(tmp_path / "new.tif", RNG.integers(0, 100, (20, 30)).astype(kind))
    reader = fitted(opened(tmp_path / "train"))
    new = opened(tmp_path / "new.tif", tmp_path / "train" / "a.png")

    assert reader.item_set(new).rows["note"].tolist() == [
        "Holds other numbers than uint8 or uint16, while the training images have 8 bits: they can't be compared.",
        "",
    ]


def test_images_of_several_number_formats_are_told(tmp_path):
    for name, deep in (("a.png", True), ("b.png", True), ("c.png", False)):
        picture(tmp_path / name, deep=deep)
    tifffile.imwrite(tmp_path / "d.tif", RNG.random((20, 30)))

    (notice,) = opened(tmp_path).notices

    assert "(2 x uint16, 1 x uint8, 1 x float64), which are compared as they are" in notice
    picture(tmp_path / "plain" / "a.png")
    picture(tmp_path / "plain" / "b.bmp", colour=True)
    assert opened(tmp_path / "plain").notices == ()


def test_pixels_far_beyond_the_range_of_the_training_images_are_told(tmp_path):
    (tmp_path / "train").mkdir()
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / "train" / name, RNG.integers(100, 200, (16, 16)).astype(np.uint16))
    hot = RNG.integers(100, 200, (16, 16)).astype(np.uint16)
    hot[:4] = 5000
    (tmp_path / "new").mkdir()
    tifffile.imwrite(tmp_path / "new" / "hot.tif", hot)
    tifffile.imwrite(tmp_path / "new" / "usual.tif", hot[4:].repeat(2, 0)[:16])
    train = opened(tmp_path / "train")
    reader = fitted(train)

    (notice,) = reader.item_set(opened(tmp_path / "new")).notices

    assert notice.startswith("1 of 2 images have pixels far brighter or darker than all training images")
    assert notice.endswith("hot.tif (25.0%).")
    assert reader.item_set(train).notices == []
