import io
import json
import os
import pickle
import random
import signal
import struct
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bombs import BOMBS
from picture_files import exif, write
from PIL import Image

from tta_demo.pictures import workers
from tta_demo.pictures.decoding import MAX_PIXELS, decode_here
from tta_demo.pictures.parcel import Torn, packed, received, refusal
from tta_demo.pictures.reading import decode, read_picture

RGB = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
GREY = RGB[..., 0]
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")


@pytest.fixture
def strangers(tmp_path, monkeypatch):
    """A folder of uploads, and processes of its own with tight limits."""
    limits = {"MEMORY": 160 << 20, "CPU_SECONDS": 1, "_idle": deque(), "_guarded": set()}
    for name, value in limits.items():
        monkeypatch.setattr(workers, name, value)
    workers.guard(tmp_path)
    yield tmp_path
    workers._end_all()


@pytest.fixture
def plain(strangers):
    """The picture of the next visitor."""
    return write(strangers / "plain.png", RGB)


def processes():
    return [worker._process for worker in workers._idle]


def status(process, key):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(key))


def told(image):
    """All that anybody asks of an image."""
    palette = image.getpalette("RGB") if image.mode == "P" else None
    alpha = None
    if image.mode[0] not in "IF" and image.has_transparency_data:
        alpha = image.convert("RGBA").tobytes()
    return image.mode, image.size, image.format, image.tobytes(), palette, alpha


def animation(kind):
    buffer = io.BytesIO()
    frames = [Image.fromarray(plane) for plane in (RGB, 255 - RGB)]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def palette_with_alpha():
    image = Image.fromarray(RGB).quantize(7)
    image.info["transparency"] = bytes([0, 128, 255])
    return image


KINDS = {
    "rgb.png": (Image.fromarray(RGB), {}),
    "rgba.png": (Image.fromarray(np.dstack([RGB, GREY])), {}),
    "la.png": (Image.fromarray(np.dstack([GREY, GREY]), "LA"), {}),
    "bits.png": (Image.fromarray(GREY).convert("1"), {}),
    "palette.png": (Image.fromarray(RGB).quantize(7), {}),
    "alpha.png": (palette_with_alpha(), {}),
    "index.png": (Image.fromarray(RGB).quantize(7), {"transparency": 3}),
    "key.png": (Image.fromarray(RGB), {"transparency": (1, 2, 3)}),
    "grey-key.png": (Image.fromarray(GREY), {"transparency": 9}),
    "deep.png": (Image.fromarray(GREY.astype(np.uint16) * 200), {}),
    "turned.png": (Image.fromarray(RGB), {"exif": exif(6)}),
    "turned.tif": (Image.fromarray(RGB), {"exif": exif(6)}),
    "float.tif": (Image.fromarray(GREY / np.float32(7)), {}),
    "big-endian.tif": (Image.frombytes("I;16B", (20, 12), bytes(range(240)) * 2), {}),
    "int.tif": (Image.fromarray(GREY.astype(np.int32) * 70_000), {}),
    "cmyk.jpg": (Image.fromarray(RGB).convert("CMYK"), {"exif": exif(5)}),
    "grey.jpg": (Image.fromarray(GREY), {}),
    "a.webp": (Image.fromarray(np.dstack([RGB, GREY])), {"lossless": True}),
    "a.gif": (Image.fromarray(RGB).quantize(7), {"transparency": 3}),
    "a.bmp": (Image.fromarray(RGB), {}),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
    for name, (image, options) in KINDS.items():
        write(folder / name, image, **options)
    for kind in ("GIF", "TIFF", "WEBP"):
        (folder / f"moving.{kind.lower()}").write_bytes(animation(kind))
    return sorted(folder.iterdir())


def test_whatever_is_decoded_apart_is_what_is_decoded_here(strangers, samples):
    for path in samples:
        here, apart = decode_here(path), workers.decode_apart(path)
        assert told(apart.image) == told(here.image), path.name
        for key in ("pending", "size", "orientation", "notes"):
            assert getattr(apart, key) == getattr(here, key), (path.name, key)


def test_files_of_strangers_are_decoded_apart_and_own_ones_here(strangers, plain, monkeypatch):
    calls = []
    real = workers.decode_apart
    monkeypatch.setattr(workers, "decode_apart", lambda *a: calls.append(a[0]) or real(*a))
    inner = strangers / "set" / "images"
    inner.mkdir(parents=True)
    own = write(strangers.parent / "own.png", RGB)
    link = strangers.parent / "link.png"
    link.symlink_to(plain)
    left = [
        plain,
        write(inner / "a.png", RGB),
        link,
        strangers / ".." / strangers.name / plain.name,
    ]
    for path in (own, *left):
        np.testing.assert_array_equal(read_picture(path).rgb, RGB)
    assert calls == left


def test_what_is_refused_is_told_in_the_same_words(strangers):
    path = strangers / "a.svg"
    path.write_text("<svg/>")
    for read in (decode_here, decode):
        with pytest.raises(ValueError, match="SVG drawing, not a grid of pixels"):
            read(path)


def attempt(path):
    """Returns why a file is refused, or nothing."""
    try:
        read_picture(path)
    except ValueError as error:
        return str(error)
    return ""


@linux
@pytest.mark.parametrize("name", ["tags.tif", "tile.tif", "exif.png", "exif.webp", "exif.jpg"])
def test_a_file_takes_no_more_memory_than_allowed(strangers, plain, name):
    path = strangers / name
    path.write_bytes(BOMBS[name]())
    assert path.stat().st_size < 400_000
    workers._idle.pop().end()
    read_picture(plain)
    (process,) = processes()
    before = status(process, "VmSize")
    assert attempt(path) == "" or attempt(path).startswith(name)
    assert status(process, "VmPeak") <= before + workers.MEMORY
    assert attempt(plain) == ""
    assert status(process, "VmSize") < before + workers.MEMORY // 4  # given back for the next


@linux
def test_a_file_takes_no_more_time_than_allowed(strangers, plain):
    path = strangers / "scans.jpg"
    path.write_bytes(BOMBS["scans.jpg"]())
    assert path.stat().st_size < 400_000
    assert (
        attempt(path) == "scans.jpg takes too long to open: export it again as PNG or plain JPEG"
    )
    assert attempt(plain) == ""


def test_a_file_that_keeps_everybody_waiting_is_given_up(strangers, plain, monkeypatch):
    monkeypatch.setattr(workers, "SECONDS", 0.3)
    path = strangers / "comment.gif"
    path.write_bytes(BOMBS["comment.gif"]())
    assert attempt(path).startswith("comment.gif takes too long")
    monkeypatch.undo()
    assert attempt(plain) == ""


@linux
def test_a_process_that_dies_is_replaced_and_nobody_else_notices(strangers, plain):
    read_picture(plain)
    for process in processes():
        process.kill()
        process.wait()
    assert attempt(plain) == ""
    dying = processes()[0]
    os.kill(dying.pid, signal.SIGSTOP)  # it has the file, and dies with it
    threading.Timer(0.2, dying.kill).start()
    assert attempt(plain).startswith("plain.png takes more memory than a picture of its size")
    assert len(processes()) == workers.WARM
    assert attempt(plain) == ""


def test_a_process_that_talks_nonsense_is_not_asked_again(strangers, plain, monkeypatch):
    before = processes()
    with monkeypatch.context() as patch:
        patch.setattr(workers, "received", lambda read: received(lambda count: b"[1]"))
        assert attempt(plain).startswith("plain.png takes more memory")
    gone = [process for process in before if process.poll() is not None]
    assert len(gone) == 1
    assert gone[0] not in processes()
    assert attempt(plain) == ""


def test_many_visitors_at_once_get_their_own_pictures(strangers):
    shades = range(0, 240, 10)
    for shade in shades:
        write(strangers / f"{shade}.png", np.full((90, 120, 3), shade, np.uint8))
    with ThreadPoolExecutor(12) as pool:
        read = pool.map(lambda shade: read_picture(strangers / f"{shade}.png").rgb, shades)
    for shade, rgb in zip(shades, read, strict=True):
        assert (rgb == shade).all()
    assert len(processes()) <= workers.WARM


@linux
def test_the_processes_are_light_and_know_no_secrets(strangers, plain, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    workers._end_all()
    read_picture(plain)
    for process in processes():
        assert status(process, "VmRSS") < 60 << 20
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        assert not any(heavy in loaded for heavy in ("torch", "cv2", "numpy"))
        assert "HF_TOKEN" not in Path(f"/proc/{process.pid}/environ").read_text()


def test_the_processes_end_with_ours(strangers, plain):
    read_picture(plain)
    one, other = _started(), _started()  # the second one must not keep the first one's pipe open
    one.stdin.close()
    assert one.wait(timeout=20) == 0
    other.stdin.close()
    assert other.wait(timeout=20) == 0


def _started():
    return workers._Worker()._process


# Parcels


def parcel(known, pixels=b"", length=None):
    facts = known if isinstance(known, bytes) else json.dumps(known).encode()
    return (
        struct.pack("<IQ", len(facts), len(pixels) if length is None else length) + facts + pixels
    )


FACTS = {
    "mode": "L", "width": 2, "height": 1, "format": "PNG", "palette": None, "transparency": None,
    "pending": 1, "size": [1, 2], "orientation": 1, "notes": [],
}  # fmt: skip


def test_a_parcel_of_known_facts_is_a_picture():
    decoded = received(io.BytesIO(parcel(FACTS, b"\7\10")).read)
    assert np.asarray(decoded.image).tolist() == [[7, 8]]
    assert (decoded.size, decoded.pending, decoded.notes) == ((1, 2), 1, ())


def test_a_refusal_comes_with_its_words():
    with pytest.raises(ValueError, match=r"^a\.png is an empty file$"):
        received(io.BytesIO(b"".join(refusal("a.png is an empty file"))).read)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"\xff" * 12, parcel({}), parcel([]), parcel(b"{"), parcel(b"[" * 60_000)),
        *(parcel(FACTS, b"1"), parcel(FACTS, b"123"), parcel(FACTS, b"12", 1 << 40)),
        *(parcel(FACTS | {"mode": mode}, b"12") for mode in ("RGB", "LAB", "P;1", None, [])),
        *(parcel(FACTS | {"width": width}, b"12") for width in (0, -2, 2.0, True, "2", 1 << 70)),
        parcel(FACTS | {"width": MAX_PIXELS, "height": 2}, b"12"),
        *(parcel(FACTS | {"pending": turn}, b"12") for turn in (0, 9, None)),
        *(
            parcel(FACTS | {"size": size}, b"12")
            for size in ([1], [0, 2], [1, 2, 3], 4, [1, None])
        ),
        *(parcel(FACTS | {"palette": it}, b"12") for it in (["L", [1]], ["RGB", [999]], 7)),
        *(parcel(FACTS | {"transparency": it}, b"12") for it in ("x", [None], {})),
        *(parcel(FACTS | {"format": "SVG"}, b"12"), parcel(FACTS | {"notes": 3}, b"12")),
    ],
)
def test_what_is_no_parcel_is_torn(data):
    with pytest.raises(Torn):
        received(io.BytesIO(data).read)


def test_nothing_in_a_parcel_is_unpickled():
    class Evil:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    with pytest.raises(Torn):
        received(io.BytesIO(parcel(pickle.dumps(Evil()), pickle.dumps(Evil()))).read)


def test_a_parcel_with_damaged_bytes_is_a_sound_picture_or_torn(samples):
    draw = random.Random(0)
    for path in samples:
        whole = b"".join(packed(decode_here(path)))
        for _ in range(30):
            data = bytearray(whole)
            data[draw.randrange(min(len(data), 300))] = draw.randrange(256)
            try:
                decoded = received(io.BytesIO(data).read)
            except (Torn, ValueError):
                continue
            assert decoded.image.width * decoded.image.height <= MAX_PIXELS
            decoded.image.convert("RGBA")
