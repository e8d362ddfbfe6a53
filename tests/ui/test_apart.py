import zipfile

import numpy as np
import pytest
from bombs import BOMBS
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tta_demo.pictures import workers
from tta_demo.tasks.worlds import WORLDS
from tta_demo.ui.learn.uploads import open_bag


def test_a_picture_that_would_fill_the_memory_is_refused_and_the_next_one_is_served(
    url, tmp_path, monkeypatch
):
    calls, real = [], workers.decode_apart
    monkeypatch.setattr(workers, "decode_apart", lambda *a: calls.append(a) or real(*a))
    bomb, plain = tmp_path / "tags.tif", tmp_path / "plain.png"
    bomb.write_bytes(BOMBS["tags.tif"]())
    Image.new("RGB", (64, 48)).save(plain)
    client = Client(url, verbose=False)
    with pytest.raises(AppError, match=r"tags\.tif takes more memory than a picture of its size"):
        client.predict(handle_file(bomb), api_name="/detect")
    report, _ = client.predict(handle_file(plain), api_name="/detect")
    assert "boxes" in report
    assert len(calls) == 2


def test_what_comes_out_of_a_zip_is_a_stranger_too(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    mask = Image.fromarray(np.eye(20, dtype=np.uint8))
    mask.save(tmp_path / "mask.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "mask.png", "images/a.png")
        archive.write(tmp_path / "mask.png", "masks/a.png")
    bag = open_bag([{"path": str(tmp_path / "a.zip")}], WORLDS["weeds"])
    (source,) = bag.sources.values()
    assert source.read().labels.tolist() == np.eye(20).tolist()
    assert all(workers.is_strangers(file) for file in source.files)
