import io
import stat
import struct
import warnings
import zipfile

import pytest

from tta_demo.samples.archives import MAX_BYTES, MAX_ENTRIES, MAX_FILES, MAX_FOLDERS, unpack
from tta_demo.samples.folders import split_mixed

PIXELS = bytes(range(256)) * 4  # any bytes do: unpacking looks at names and sizes only
ENTRY, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def pack(path, *entries, method=zipfile.ZIP_DEFLATED):
    """Writes a zip of names, or of (name or ZipInfo, bytes)."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # names that come twice are what is tested
        for entry in entries:
            name, content = (entry, PIXELS) if isinstance(entry, str) else entry
            archive.writestr(name, content)
    return path


def patch(path, signature, offset, form, value):
    """Overwrites a field of the first header of a kind."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, data.index(signature) + offset, value)
    path.write_bytes(data)


def unpacked(path):
    """Unpacks beside the archive; returns the names in there."""
    into = path.parent / "into"
    files = unpack(path, into)
    assert {f for f in into.rglob("*") if f.is_file()} == set(files)
    return [file.relative_to(into).as_posix() for file in files]


def refused(path, told):
    """Asserts a refusal that names the archive and leaves nothing outside the folder."""
    around = {path, *path.parent.iterdir()}
    into = path.parent / "into"
    with pytest.raises(ValueError, match=told) as error:
        unpack(path, into)
    assert str(error.value).startswith(path.name)
    assert len(str(error.value)) < 250
    assert set(path.parent.iterdir()) <= around | {into}


def written(path):
    return [file for file in (path.parent / "into").rglob("*") if file.is_file()]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_come_out_as_they_went_in(tmp_path, method):
    contents = {"images/a.png": PIXELS, "masks/a.png": PIXELS[::-1] * 3000, "empty.png": b""}
    files = unpack(pack(tmp_path / "a.zip", *contents.items(), method=method), tmp_path / "into")
    assert {f.relative_to(tmp_path / "into").as_posix(): f.read_bytes() for f in files} == contents


def test_folders_survive_so_that_a_bag_can_be_split(tmp_path):
    path = pack(tmp_path / "a.zip", "set/", "set/images/", "set/images/a.png", "set/masks/a.png")
    into = tmp_path / "into"
    assert split_mixed(unpack(path, into)) == (
        [into / "set/images/a.png"],
        [into / "set/masks/a.png"],
    )


def test_what_is_no_picture_stays_in_the_archive(tmp_path):
    inner = io.BytesIO()
    pack(inner, "b.png")
    others = ["readme.txt", ("inner.zip", inner.getvalue()), "run.sh", "png"]
    clutter = ["__MACOSX/images/._a.png", "images/._a.png", ".DS_Store", "images/Thumbs.db"]
    assert unpacked(pack(tmp_path / "a.zip", *others, *clutter, "images/a.png")) == [
        "images/a.png"
    ]


def test_a_zip_without_pictures_gives_none(tmp_path):
    assert unpacked(pack(tmp_path / "a.zip", "readme.txt")) == []
    assert unpacked(pack(tmp_path / "b.zip")) == []


@pytest.mark.parametrize(
    "name", ["Äcker/Rübe 1.PNG", "写真/図.Tiff", "a b/c (2)!.jpeg", "x.y.z.WebP"]
)
def test_names_of_people_are_kept(tmp_path, name):
    assert unpacked(pack(tmp_path / "a.zip", name)) == [name]


@pytest.mark.parametrize(
    ("flag", "name"),
    [(0, "Rübe.png"), (0x800, "Rübe.png"), (0x800, "R├╝be.png")],  # the last is what it says
)
def test_utf8_names_are_read_with_and_without_their_flag(tmp_path, flag, name):
    path = pack(tmp_path / "a.zip", name)
    patch(path, ENTRY, 8, "<H", flag)
    patch(path, LOCAL, 6, "<H", flag)
    assert unpacked(path) == [name]


def test_old_names_that_are_no_utf8_are_read_too(tmp_path):
    path = pack(tmp_path / "a.zip", "R_be.png")
    path.write_bytes(path.read_bytes().replace(b"R_be", "Rübe".encode("cp437")))
    assert unpacked(path) == ["Rübe.png"]


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("./a.png", "a.png"),
        ("a//b.png", "a/b.png"),
        ('day: 1/a?"<|>*.png', "day_ 1/a______.png"),
        ("line\nbreak.png", "line_break.png"),
        ("gpj\u202egnp.png", "gpj_gnp.png"),
        ("dots. /.. ./a.png. ", "dots/_/a.png"),
    ],
)
def test_names_that_some_system_cannot_write_are_made_harmless(tmp_path, name, harmless):
    assert unpacked(pack(tmp_path / "a.zip", name)) == [harmless]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.png", "images/../../evil.png", "a/..", "../evil.txt", "/evil.png", "//s/e.png"),
        *("C:evil.png", "C:/evil.png", "c:\\evil.png", "..\\evil.png", "images\\evil.png"),
        "../" + 60_000 * "x" + ".png",
        *("\\evil.png", "\\\\server\\share\\evil.png"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    refused(pack(tmp_path / "a.zip", "good.png", name), "no plain name")
    assert written(tmp_path / "a.zip") == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (kind | 0o777) << 16
    refused(pack(tmp_path / "a.zip", "good.png", (link, b"/etc/passwd")), "link.png.*is a link")
    assert written(tmp_path / "a.zip") == []


def test_encrypted_entries_are_refused(tmp_path):
    path = pack(tmp_path / "a.zip", "secret.png")
    patch(path, ENTRY, 8, "<H", 1)
    refused(path, "secret.png.*encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_refused(tmp_path, method):
    refused(pack(tmp_path / "a.zip", "a.png", method=method), f"method {method}")


@pytest.mark.parametrize(
    "names", [("a.png", "a.png"), ("a.png", "A.PNG"), ("d/a.png", "D/a.png"), ("a?.png", "a*.png")]
)
def test_two_entries_of_one_name_are_refused(tmp_path, names):
    refused(pack(tmp_path / "a.zip", *names), "two files named")
    assert written(tmp_path / "a.zip") == []


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    refused(pack(tmp_path / "a.zip", "a.png", "a.png/b.png"), "cannot be written")


def test_as_many_files_as_allowed_are_unpacked_and_one_more_is_refused(tmp_path):
    names = [f"{i}.png" for i in range(MAX_FILES)]
    assert unpacked(pack(tmp_path / "a.zip", *names, "more.txt")) == names
    refused(pack(tmp_path / "b.zip", *names, "more.png"), f"{MAX_FILES + 1} .*{MAX_FILES}")


def test_folders_without_end_are_refused_before_one_is_made(tmp_path):
    names = ["/".join(f"{n}-{d}" for d in range(9)) + "/a.png" for n in range(MAX_FOLDERS // 9)]
    assert unpacked(pack(tmp_path / "a.zip", *names)) == names
    for name, more in {
        "b.zip": ["x/" * 40 + "a.png"],
        "c.zip": [f"{n}/" * 900 for n in "12"],
    }.items():
        refused(
            pack(tmp_path / name, *names, *(f"{one}/b.png" for one in more)), "folders or more"
        )


def test_a_flood_of_entries_is_refused_before_they_cost_memory(tmp_path):
    path = pack(tmp_path / "a.zip", *((f"{i}.txt", b"") for i in range(MAX_ENTRIES + 1)))
    refused(path, f"{MAX_ENTRIES + 1} entries.*{MAX_ENTRIES}")


def test_a_zip_bomb_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", "good.png", ("bomb.png", bytes(64_000_000)))
    assert path.stat().st_size < 100_000
    refused(path, "times its own size, over the limit of 200")
    assert written(path) == []


def test_small_pictures_may_shrink_to_almost_nothing(tmp_path):
    path = pack(tmp_path / "a.zip", ("background.bmp", bytes(3_000_000)))
    assert path.stat().st_size * 200 < 3_000_000
    assert unpacked(path) == ["background.bmp"]


def test_a_bomb_that_is_no_picture_is_not_touched(tmp_path):
    path = pack(tmp_path / "a.zip", ("bomb.bin", bytes(64_000_000)), "a.png")
    assert unpacked(path) == ["a.png"]


def test_more_bytes_than_allowed_are_refused_by_what_they_declare(tmp_path):
    path = pack(tmp_path / "a.zip", "a.png", "b.png")
    patch(path, ENTRY, 24, "<I", MAX_BYTES)
    refused(path, "unpacks to 200.0 MB, over the limit of 200 MB")
    assert written(path) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("declared", [0, 1, len(PIXELS) - 1, len(PIXELS) + 1, 9_000_000])
def test_headers_that_lie_about_the_size_are_found_out(tmp_path, method, declared):
    path = pack(tmp_path / "a.zip", "a.png", method=method)
    patch(path, ENTRY, 24, "<I", declared)
    refused(path, "damaged|declares")
    assert all(file.stat().st_size <= declared + 1 for file in written(path))


def test_a_bomb_behind_a_small_declared_size_unpacks_no_further(tmp_path):
    path = pack(tmp_path / "a.zip", ("bomb.png", bytes(64_000_000)))
    patch(path, ENTRY, 24, "<I", 1000)
    refused(path, "damaged|declares")
    assert sum(file.stat().st_size for file in written(path)) <= 1001


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_zip_is_refused(tmp_path, kept):
    path = pack(tmp_path / "a.zip", "a.png", "b.png")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, "not a zip file, or cut off or damaged: pack")


def test_a_zip_with_its_beginning_cut_off_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", "a.png", method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes()[200:])
    refused(path, "damaged|written")


def test_changed_bytes_are_noticed(tmp_path):
    path = pack(tmp_path / "a.zip", "a.png", method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(PIXELS, PIXELS[::-1]))
    refused(path, "damaged")


def test_any_single_damaged_byte_is_survived(tmp_path):
    data = pack(tmp_path / "whole.zip", ("images/a.png", b"tiny")).read_bytes()
    for place in range(len(data)):
        folder = tmp_path / str(place)
        folder.mkdir()
        path = folder / "a.zip"
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            unpack(path, folder / "into")
        except ValueError as error:
            assert str(error).startswith("a.zip"), place  # noqa: PT017 (some bytes do no harm)
        assert {file.name for file in folder.iterdir()} <= {"a.zip", "into"}, place


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"7z\xbc\xaf\x27\x1c" + PIXELS])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    refused(path, "not a zip")


def test_a_missing_archive_is_refused(tmp_path):
    refused(tmp_path / "gone.zip", "cannot be opened")


def test_a_file_that_is_already_there_is_not_overwritten(tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "into/a.png").write_text("mine")
    refused(pack(tmp_path / "a.zip", "a.png"), "'a.png' cannot be written")
    assert (tmp_path / "into/a.png").read_text() == "mine"


def test_a_name_too_long_for_the_system_is_refused(tmp_path):
    refused(pack(tmp_path / "a.zip", "a" * 5000 + ".png"), "cannot be written")
