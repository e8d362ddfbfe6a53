import pytest
import torch

from tta_demo.models.feed import IMAGENET, PLAIN, Feed
from tta_demo.models.preprocessor import Size, feed_of, size_of

NORMAL = {"image_mean": list(IMAGENET.mean), "image_std": list(IMAGENET.std)}


@pytest.mark.parametrize(
    ("stored", "feed"),
    [
        (NORMAL, IMAGENET),
        ({"do_normalize": True}, IMAGENET),
        ({"do_normalize": False} | NORMAL, PLAIN),
        ({"do_flip_channel_order": True}, Feed(order="BGR")),
        ({"rescale_factor": 0.00392156862745098} | NORMAL, IMAGENET),
        ({"do_rescale": False}, Feed(highest=255)),
    ],
)
def test_pictures_are_fed_as_the_file_says(stored, feed):
    assert feed_of(stored) == feed


@pytest.mark.parametrize("offset", [0, 1])
def test_another_factor_gives_the_same_values(offset):
    stored = {"rescale_factor": 1 / 127.5, "rescale_offset": offset} | NORMAL
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (IMAGENET.mean, IMAGENET.std))
    image = torch.rand(1, 3, 4, 5)
    expected = (image * 255 / 127.5 - offset - mean) / std
    torch.testing.assert_close(feed_of(stored)(image), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("task", "stored", "size"),
    [
        ("segment", {"size": 512}, Size(exact=(512, 512))),
        ("segment", {"size": {"height": 384, "width": 640}}, Size(exact=(384, 640))),
        ("segment", {"size": {"shortest_edge": 513}, "crop_size": 513}, Size(short=513)),
        ("classify", {"size": 256, "crop_size": 224}, Size(exact=(224, 224))),
        ("classify", {"size": {"shortest_edge": 224}, "crop_pct": 0.875}, Size(short=224)),
        ("classify", {"size": 256, "crop_size": 224, "do_center_crop": False},
         Size(exact=(256, 256))),
        ("detect", {"size": 800, "max_size": 1333}, Size(short=800, long=1333)),
        ("detect", {"size": {"shortest_edge": 800, "longest_edge": 1333}},
         Size(short=800, long=1333)),
        ("detect", {"size": {"longest_edge": 640}}, Size(long=640)),
    ],
)  # fmt: skip
def test_pictures_get_the_size_that_the_file_says(task, stored, size):
    assert size_of(stored, task) == size


@pytest.mark.parametrize("size", [None, "big", {"height": 5}, {}, 0, 10**9, [1, 2]])
def test_a_size_that_makes_no_sense_is_told(size):
    with pytest.raises(ValueError, match="size"):
        size_of({"size": size}, "segment")


@pytest.mark.parametrize(
    ("wanted", "size", "shown"),
    [
        (Size(short=800, long=1333), (480, 640), (800, 1067)),
        (Size(short=800, long=1333), (300, 1000), (400, 1333)),
        (Size(long=640), (1280, 320), (640, 160)),
        (Size(exact=(512, 512)), (1024, 256), (1024, 256)),
        (Size(short=500), (10, 1000), (20, 2000)),
    ],
)
def test_the_aspect_is_kept(wanted, size, shown):
    assert tuple(round(wanted.scale(size) * side) for side in size) == shown
    assert wanted.scale(size) == wanted.scale(size[::-1])
