"""Zip files: what is harmful is refused before anything is unpacked, what is fine reads and extracts alike."""

import stat
import zipfile
from pathlib import Path

import pytest

from ad_core.data.files.archives import Limits, SafeZip, member_of, read_bytes
from ad_core.errors import DataError, ResourceError

PLAIN = {"a.txt": b"first", "folder/b.txt": b"second" * 100}


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_info(path: Path, **changes: object) -> Path:
    """A zip of one member whose directory entry is changed."""
    info = zipfile.ZipInfo("odd.png")
    for name, value in changes.items():
        setattr(info, name, value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"content")
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_read_lazily_and_extracted_are_what_was_packed(tmp_path, method):
    path = packed(tmp_path / "plain.zip", PLAIN, method)

    with SafeZip(path) as archive:
        files = archive.extract(tmp_path / "out")

        assert {name: archive.read(name) for name in archive.names} == PLAIN
        assert [archive.size(name) for name in archive.names] == [5, 600]
    assert {file.relative_to(tmp_path / "out").as_posix(): file.read_bytes() for file in files} == PLAIN


def test_a_member_is_read_by_its_text_address(tmp_path):
    (tmp_path / "new!").mkdir()  # its name ends as if it were an archive
    path = packed(tmp_path / "new!" / "p.zip", PLAIN)

    assert read_bytes(f"{path}!/folder/b.txt") == PLAIN["folder/b.txt"]
    assert member_of(f"{path}!/a.txt") == (path, "a.txt")
    assert member_of(str(path)) is None


def test_a_zip_that_was_replaced_is_read_anew(tmp_path):
    path = packed(tmp_path / "plain.zip", {"a.txt": b"old"})
    before = read_bytes(f"{path}!/a.txt")

    packed(path, {"a.txt": b"something new"})

    assert (before, read_bytes(f"{path}!/a.txt")) == (b"old", b"something new")


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png", "\\evil.png", "a/.."]
)
def test_a_member_that_would_land_outside_its_folder_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="outside its folder"):
        SafeZip(packed(tmp_path / "evil.zip", {"fine.png": b"", name: b"x"}))


def test_names_written_with_backslashes_become_folders(tmp_path):
    with SafeZip(packed(tmp_path / "windows.zip", {"folder\\a.txt": b"x"})) as archive:
        assert archive.names == ["folder/a.txt"]
        assert archive.read("folder/a.txt") == b"x"


def test_the_litter_of_operating_systems_is_left_out(tmp_path):
    litter = {"__MACOSX/._a.txt": b"", "folder/.DS_Store": b"", ".git/x": b"", "folder/Thumbs.db": b""}

    with SafeZip(packed(tmp_path / "mac.zip", PLAIN | litter)) as archive:
        assert archive.names == list(PLAIN)


def test_a_symbolic_link_is_refused(tmp_path):
    path = with_info(tmp_path / "link.zip", create_system=3, external_attr=(stat.S_IFLNK | 0o777) << 16)

    with pytest.raises(DataError, match=r"odd\.png in link\.zip is a symbolic link"):
        SafeZip(path)


def test_a_device_is_refused(tmp_path):
    path = with_info(tmp_path / "device.zip", create_system=3, external_attr=(stat.S_IFCHR | 0o666) << 16)

    with pytest.raises(DataError, match="neither a file nor a folder"):
        SafeZip(path)


def test_an_encrypted_member_is_refused(tmp_path):
    path = packed(tmp_path / "secret.zip", {"a.png": b"content"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of the member, at both its places
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)

    with pytest.raises(DataError, match="is encrypted"):
        SafeZip(path)


def test_a_packing_method_that_is_not_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"number 14\)"):
        SafeZip(packed(tmp_path / "lzma.zip", {"a.png": b"x"}, zipfile.ZIP_LZMA))


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = packed(tmp_path / "bomb.zip", {"zeros.png": bytes(1_000_000)})

    with pytest.raises(DataError, match=r"would unpack to 1\.0 MB, .* times its own size"):
        SafeZip(path, Limits(ratio_from=500_000))


def test_a_bomb_of_the_usual_limits_is_refused(tmp_path):
    """Three members of 100 MiB zeros each: a zip of a third of a megabyte."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(3):
            with archive.open(f"{k}.png", "w") as member:
                for _ in range(100):
                    member.write(bytes(1 << 20))

    with pytest.raises(DataError, match="zip bomb"):
        SafeZip(path)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(total_bytes=500), "would unpack to 605 B, more than 500 B"),
        (Limits(member_bytes=500), r"folder/b\.txt in plain\.zip would unpack to 600 B"),
        (Limits(members=1), "holds 2 members, more than the 1"),
    ],
)
def test_a_zip_over_a_limit_is_refused(tmp_path, limits, sentence):
    with pytest.raises(DataError, match=sentence):
        SafeZip(packed(tmp_path / "plain.zip", PLAIN), limits)


def test_a_few_blank_pictures_are_no_bomb(tmp_path):
    with SafeZip(packed(tmp_path / "blank.zip", {"blank.bmp": bytes(1_000_000)})) as archive:
        assert archive.size("blank.bmp") == 1_000_000


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_zip_is_named(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)

    with pytest.raises(DataError, match=r"x\.zip can't be opened as a zip file"):
        SafeZip(tmp_path / "x.zip")


def test_a_cut_off_zip_is_named(tmp_path):
    path = packed(tmp_path / "x.zip", PLAIN)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(DataError, match="can't be opened"):
        SafeZip(path)


def test_a_damaged_header_is_not_quoted_with_all_that_follows(tmp_path):
    """The length of the name in it may be wrong by thousands."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "row\n" * 5000)
    content = bytearray(path.read_bytes())
    content[27] = 16  # 4,096 letters more in the name
    path.write_bytes(content)

    with SafeZip(path) as archive, pytest.raises(DataError, match=r"a\.txt in x\.zip is damaged") as caught:
        archive.read("a.txt")

    assert len(str(caught.value)) < 300


def test_a_damaged_member_is_named_when_it_is_read(tmp_path):
    path = packed(tmp_path / "x.zip", {"a.txt": b"content" * 10, "b.txt": b"fine"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"content", b"CONTENT", 1))

    with SafeZip(path) as archive:
        assert archive.read("b.txt") == b"fine"
        with pytest.raises(DataError, match=r"a\.txt in x\.zip is damaged"):
            archive.read("a.txt")


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", b"2")

    with pytest.raises(DataError, match=r"holds a\.txt twice"):
        SafeZip(path)


def test_a_member_that_is_file_and_folder_is_refused(tmp_path):
    with (
        SafeZip(packed(tmp_path / "x.zip", {"a": b"1", "a/b": b"2"})) as archive,
        pytest.raises(DataError, match="both as a file and as a folder"),
    ):
        archive.extract(tmp_path / "out")


def test_extraction_needs_room_on_the_disk(tmp_path):
    """The directory claims half an exabyte; nothing of it may be written."""
    path = packed(tmp_path / "x.zip", PLAIN)
    with SafeZip(path) as archive:
        archive._members["a.txt"].file_size = 1 << 59
        with pytest.raises(ResourceError, match="are free at"):
            archive.extract(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_or_member_that_is_gone_is_named(tmp_path):
    path = packed(tmp_path / "x.zip", PLAIN)

    with pytest.raises(DataError, match=r"no c\.txt in x\.zip"):
        read_bytes(f"{path}!/c.txt")
    with pytest.raises(DataError, match=r"gone\.png can't be read"):
        read_bytes(str(tmp_path / "gone.png"))
    with pytest.raises(DataError, match=r"^a\.png can't be read") as error:  # the note of a row: no folder is told
        read_bytes(f"{tmp_path / 'gone.zip'}!/a.png")
    assert str(tmp_path) not in str(error.value)
