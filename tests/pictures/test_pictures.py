import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from picture_files import exif, write
from PIL import Image, ImageOps

from tta_demo.pictures.decoding import MAX_ASPECT, MAX_PIXELS, WORKING_PIXELS
from tta_demo.pictures.reading import decode, read_picture, turn, working_size

RGB = np.kron(
    np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8),
    np.ones((8, 8, 1), np.uint8),
)  # (32, 48, 3): no two turns alike, and flat 8 x 8 blocks survive JPEG


def png_header(width, height):
    """A valid PNG that promises many pixels and holds a few bytes."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"0")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("bmp", {}),
        ("webp", {"lossless": True}),
        ("tif", {}),
        ("tif", {"compression": "tiff_lzw"}),
    ],
)
def test_a_lossless_file_gives_its_exact_pixels(tmp_path, suffix, options):
    picture = read_picture(write(tmp_path / f"a.{suffix}", RGB, **options))
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.rgb.dtype == np.uint8
    assert (picture.size, picture.stored_size, picture.orientation) == ((32, 48), (32, 48), 1)
    assert picture.notes == ()


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_lossy_file_comes_close(tmp_path, suffix):
    picture = read_picture(write(tmp_path / f"a.{suffix}", RGB, quality=95))
    assert np.abs(picture.rgb.astype(int) - RGB).mean() < 12


def test_a_cmyk_jpeg_is_not_a_negative(tmp_path):
    path = write(tmp_path / "a.jpg", Image.fromarray(RGB).convert("CMYK"), quality=95)
    assert np.abs(read_picture(path).rgb.astype(int) - RGB).mean() < 12


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_and_palette_pictures_look_as_pillow_shows_them(tmp_path, mode):
    image = Image.fromarray(RGB).convert(mode)
    picture = read_picture(write(tmp_path / "a.png", image))
    np.testing.assert_array_equal(picture.rgb, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_put_on_white(tmp_path, mode):
    image = Image.fromarray(RGB).convert(mode)
    alpha = np.zeros((32, 48), np.uint8)
    alpha[:, 24:] = 255
    alpha[0, 0] = 128
    image.putalpha(Image.fromarray(alpha))
    picture = read_picture(write(tmp_path / "a.png", image))
    opaque = np.asarray(image.convert("RGB"))
    assert (picture.rgb[1:, :24] == 255).all()
    np.testing.assert_array_equal(picture.rgb[:, 24:], opaque[:, 24:])
    half = (opaque[0, 0].astype(float) + 255) / 2
    assert np.abs(picture.rgb[0, 0] - half).max() < 2
    assert len(picture.notes) == 1


def test_opaque_alpha_needs_no_note(tmp_path):
    picture = read_picture(write(tmp_path / "a.png", Image.fromarray(RGB).convert("RGBA")))
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.notes == ()


@pytest.mark.parametrize("kind", ["png", "tif", "big-endian tif", "int32 tif", "float tif"])
def test_a_dark_deep_grey_picture_uses_the_whole_range(tmp_path, kind):
    dark = np.linspace(0, 235.99, 32 * 48).reshape(32, 48).astype(np.uint16)
    if kind == "big-endian tif":
        path = tmp_path / "a.tif"
        path.write_bytes(big_endian_tiff(dark))
    else:
        types = {"int32 tif": np.int32, "float tif": np.float32}
        pixels = dark.astype(types.get(kind, np.uint16))
        path = write(tmp_path / f"a.{kind[-3:]}", pixels)
    picture = read_picture(path)
    grey = picture.rgb[..., 0].astype(int)
    assert (grey.min(), grey.max()) == (0, 255)
    assert (np.diff(grey.ravel()) >= 0).all()
    assert np.abs(grey - dark * (255 / 235)).max() <= 1
    assert len(picture.notes) == 1
    assert "235" in picture.notes[0]


def big_endian_tiff(pixels):
    height, width = pixels.shape
    fields = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (273, 134), (277, 1)]
    fields += [(278, height), (279, 2 * pixels.size)]
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in fields)
    start = struct.pack(">2sHIH", b"MM", 42, 8, len(fields)) + entries + bytes(4)
    return start.ljust(134, b"\0") + pixels.astype(">u2").tobytes()


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_deep_picture_is_flat(tmp_path, value):
    picture = read_picture(write(tmp_path / "a.png", np.full((3, 5), value, np.uint16)))
    assert len(np.unique(picture.rgb)) == 1


def test_one_hot_pixel_does_not_darken_a_deep_picture(tmp_path):
    pixels = np.tile(np.arange(100, dtype=np.uint16), (100, 1))
    pixels[0, 0] = 65535
    assert np.median(read_picture(write(tmp_path / "a.png", pixels)).rgb) > 100


def test_a_few_bright_spots_on_even_ground_stay_visible(tmp_path):
    pixels = np.full((100, 100), 40, np.uint16)
    pixels[3, 4] = 300
    rgb = read_picture(write(tmp_path / "a.png", pixels)).rgb
    assert (rgb[3, 4] == 255).all()
    assert rgb.sum() == 3 * 255


def test_missing_values_in_a_float_tiff_are_dark(tmp_path):
    pixels = np.linspace(1, 2, 60, dtype=np.float32).reshape(6, 10)
    pixels[0, :3] = np.nan, np.inf, -np.inf
    rgb = read_picture(write(tmp_path / "a.tif", pixels)).rgb
    assert rgb[0, :3, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    ("suffix", "options"), [("gif", {}), ("png", {}), ("webp", {"lossless": True}), ("tif", {})]
)
def test_the_first_of_several_frames_counts_and_a_note_says_so(tmp_path, suffix, options):
    frames = [Image.fromarray(np.full((9, 7, 3), value, np.uint8)) for value in (200, 90, 10)]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    picture = read_picture(path)
    assert (picture.rgb == 200).all()
    assert len(picture.notes) == 1
    assert "first" in picture.notes[0]


def test_a_still_gif_has_no_note(tmp_path):
    image = Image.fromarray(RGB).quantize(64)
    picture = read_picture(write(tmp_path / "a.gif", image))
    np.testing.assert_array_equal(picture.rgb, np.asarray(image.convert("RGB")))
    assert picture.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_agrees_with_pillow(orientation):
    image = Image.fromarray(RGB)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(turn(RGB, orientation), upright)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_as_its_exif_asks(tmp_path, suffix, orientation):
    options = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    path = write(tmp_path / f"a.{suffix}", RGB, exif=exif(orientation), **options)
    picture = read_picture(path)
    expected = turn(RGB, orientation)
    assert picture.rgb.shape == expected.shape
    assert np.abs(picture.rgb.astype(int) - expected).mean() < 12
    assert picture.size == expected.shape[:2]
    assert picture.stored_size == (32, 48)
    assert picture.orientation == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_grey_tiff_is_turned_upright_too(tmp_path, orientation):
    path = write(tmp_path / "a.tif", RGB[..., 0], exif=exif(orientation))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.rgb[..., 0], turn(RGB[..., 0], orientation))
    assert picture.size == picture.rgb.shape[:2]


@pytest.mark.parametrize("data", [b"Exif\0\0garbage", exif(0).tobytes(), exif(77).tobytes()])
def test_nonsense_exif_leaves_the_picture_as_it_is(tmp_path, data):
    picture = read_picture(write(tmp_path / "a.jpg", RGB, exif=data))
    assert (picture.orientation, picture.size) == (1, (32, 48))


def test_a_large_photo_is_reduced_with_a_note(tmp_path):
    ramp = np.linspace(0, 255, 4000).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp, (3000, 4000)))
    picture = read_picture(write(tmp_path / "a.jpg", image, exif=exif(6)))
    assert picture.rgb.shape == (1182, 887, 3)
    assert (picture.size, picture.stored_size) == ((4000, 3000), (3000, 4000))
    assert "3000 x 4000" in picture.notes[0]
    assert "887 x 1182" in picture.notes[0]
    expected = np.linspace(0, 255, 1182)[:, None]  # the ramp now runs downwards
    assert np.abs(picture.rgb[..., 0] - expected).max() < 3


def test_reducing_a_lossless_picture_keeps_its_mean(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (1500, 1100), dtype=np.uint8)
    picture = read_picture(write(tmp_path / "a.bmp", pixels))
    assert picture.rgb.shape[:2] == working_size((1500, 1100))
    assert picture.rgb.mean() == pytest.approx(pixels.mean(), abs=0.5)


def test_the_working_size_is_the_largest_of_the_same_aspect():
    rng = np.random.default_rng(2)
    for height, width in rng.integers(1, 6000, (200, 2)).tolist():
        h, w = working_size((height, width))
        assert 1 <= h * w <= WORKING_PIXELS
        if height * width <= WORKING_PIXELS:
            assert (h, w) == (height, width)
            continue
        scale = (WORKING_PIXELS / (height * width)) ** 0.5
        assert abs(h - height * scale) <= 1, (height, width)
        assert abs(w - width * scale) <= 1, (height, width)


@pytest.mark.parametrize("size", [(1, 1), (1, MAX_ASPECT), (8000, 160)])
def test_tiny_and_thin_pictures_work(tmp_path, size):
    path = write(tmp_path / "a.png", np.full(size, 9, np.uint8))
    picture = read_picture(path)
    assert picture.rgb.shape == (*working_size(size), 3)
    assert (picture.rgb == 9).all()


@pytest.mark.parametrize("size", [(1, MAX_ASPECT + 1), (MAX_PIXELS, 1)])
def test_what_is_thinner_is_refused_from_its_header(tmp_path, size):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(ValueError, match=f"a.png has {size[0]} x {size[1]} pixels, more than 50"):
        read_picture(path)


@pytest.mark.parametrize("length", [50, 1000, 7000, 20_000, int((MAX_PIXELS * MAX_ASPECT) ** 0.5)])
def test_the_thinnest_pictures_stay_small_where_they_are_padded(length):
    size = working_size((length // MAX_ASPECT, length))
    padded = [-(-side // 64) * 64 for side in size]
    assert padded[0] * padded[1] < 1.5 * WORKING_PIXELS


def test_a_huge_picture_is_refused_from_its_header(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(12000, 12000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="12000 x 12000"):
        read_picture(path)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_the_limit_itself_is_not_refused_for_its_size(tmp_path):
    path = tmp_path / "a.png"
    for width, told in ((MAX_PIXELS // 1000, "cut off"), (MAX_PIXELS // 1000 + 1, "24001 x")):
        path.write_bytes(png_header(width, 1000))
        with pytest.raises(ValueError, match=told):
            read_picture(path)


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.png", b"data")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\0\0\0\x18ftypheix\0\0\0\0mif1heix" + bytes(99), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(99), "AVIF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>', "SVG"),
        (b"just some text, no pixels", "not a picture"),
        (b"", "empty"),
        (archive(), "not a picture"),
        (b"%PDF-1.7 \n", "not a picture"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
    ],
)
def test_what_is_no_readable_picture_is_refused_by_name(tmp_path, data, told):
    path = tmp_path / "upload.png"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=told) as refusal:
        read_picture(path)
    assert "upload.png" in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("name", ["missing.png", ""])
def test_a_missing_file_and_a_folder_are_refused_without_their_path(tmp_path, name):
    with pytest.raises(ValueError, match="opened") as refusal:
        read_picture(tmp_path / name)
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns on some cut TIFF headers
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("jpg", {}),
        ("jpg", {"progressive": True}),
        ("gif", {}),
        ("webp", {}),
        ("tif", {"compression": "tiff_deflate"}),
        ("bmp", {}),
    ],
)
def test_a_file_cut_anywhere_is_refused_or_complete(tmp_path, suffix, options):
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8))
    path = write(tmp_path / f"a.{suffix}", image, **options)
    data, whole = path.read_bytes(), read_picture(path).rgb
    cuts = np.linspace(1, len(data) - 1, 30).astype(int)
    refused = 0
    for cut in cuts:
        path.write_bytes(data[:cut])
        try:
            np.testing.assert_array_equal(read_picture(path).rgb, whole, err_msg=f"cut at {cut}")
        except ValueError:
            refused += 1
    assert refused >= 28


def test_an_exotic_colour_mode_is_refused_by_name(tmp_path):
    path = write(tmp_path / "a.tif", Image.new("LAB", (4, 3)))
    with pytest.raises(ValueError, match="LAB"):
        read_picture(path)


def test_decoding_keeps_the_mode_of_the_file(tmp_path):
    image = Image.fromarray(RGB).quantize(5)
    decoded = decode(write(tmp_path / "a.png", image))
    assert decoded.image.mode == "P"
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(image))
