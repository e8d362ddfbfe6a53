import json

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from snippets import PAGE, client_blocks

from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.masks import restore
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import VIEW_SETS

EXAMPLES = ASSETS / "examples"
NUCLEI = EXAMPLES / "nuclei-1.png"
CAT = EXAMPLES / "chelsea.jpg"


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def answer(plan, truth=None):
    return segment(WORLDS["nuclei"].record, read_picture(NUCLEI), plan, truth)


def test_segment_answers_as_the_library_does(client, tmp_path):
    mask = EXAMPLES / "nuclei-1-mask.png"
    report, labels, shown = client.predict(
        handle_file(NUCLEI), "nuclei", "flips", "vote", handle_file(mask), api_name="/segment"
    )
    plan, _ = WORLDS["nuclei"].plan(VIEW_SETS["flips"], "vote")
    truth, _ = WORLDS["nuclei"].read_truth(mask, read_picture(NUCLEI))
    result = answer(plan, truth)
    assert report["scores"] == json.loads(json.dumps(result.findings()["scores"]))
    assert np.array_equal(np.asarray(Image.open(labels)), restore(result.labels, (256, 256)))
    assert Image.open(shown).size == (256, 256)


def test_compare_has_a_row_a_fusion_and_the_truth_decides(client):
    picture = handle_file(NUCLEI)
    rows = client.predict(picture, "nuclei", "flips", None, api_name="/compare")
    assert [row["fusion"] for row in rows] == list(FUSIONS)
    assert rows[0]["looks"] == 1
    assert rows[0]["changed"] == 0
    assert {row["miou"] for row in rows} == {None}
    for row in rows[1:]:
        plan, _ = WORLDS["nuclei"].plan(VIEW_SETS["flips"], row["fusion"])
        assert row["changed"] == answer(plan).changed


def test_classify_and_detect_answer_with_one_look_and_with_all(client):
    report = client.predict(handle_file(CAT), "five-crop", api_name="/classify")
    assert set(report["fused"]) <= set(MODELS["efficientnet-lite0"].classes)
    report, drawn = client.predict(handle_file(CAT), "objects", "mirror", api_name="/detect")
    assert "cat" in {box["class"] for box in report["boxes"]}
    assert Image.open(drawn).size == read_picture(CAT).rgb.shape[1::-1]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("/segment", ["beach", "d4", "mean", None]),
        ("/segment", ["photos", "d4", ["mean"] * 9, None]),
        ("/compare", ["weeds", "identity,identity", None]),
        ("/classify", ["ten-crop", "learned"]),
        ("/detect", ["weeds", "d4", "soft-nms", 0.5]),
        ("/detect", ["weeds", "d4", "wbf", "high"]),
        ("/detect", ["weeds", "d4", "wbf", 30]),
    ],
)
def test_words_that_are_not_offered_are_refused(client, name, values):
    with pytest.raises(AppError, match=r"['\"] is (unknown: choose|no number from 0)"):
        client.predict(handle_file(NUCLEI), *values, api_name=name)


def test_a_path_of_the_server_is_no_picture(client):
    for made_up in ({"path": str(NUCLEI), "url": None}, str(NUCLEI), [1]):
        with pytest.raises(AppError, match="No file arrived"):
            client.predict(made_up, api_name="/classify")


def test_every_endpoint_says_what_it_takes_and_returns(url):
    told = httpx.get(f"{url}gradio_api/info").json()["named_endpoints"]
    assert set(told) == {"/segment", "/compare", "/classify", "/detect"}
    for name, endpoint in told.items():
        assert endpoint["description"]
        assert endpoint["parameters"][0]["python_type"]["type"] == "filepath"
        for part in (*endpoint["parameters"], *endpoint["returns"]):
            assert part["python_type"]["description"], (name, part["label"])


@pytest.mark.parametrize("name", ["/segment", "/compare", "/classify", "/detect"])
def test_the_code_that_the_page_shows_runs(url, monkeypatch, tmp_path, name):
    told = httpx.get(f"{url}gradio_api/info").json()["named_endpoints"][name]
    (tmp_path / "picture.png").write_bytes(NUCLEI.read_bytes())
    monkeypatch.chdir(tmp_path)
    got = {}
    exec(told["code_snippets"]["python"], got)
    several = len(told["returns"]) > 1
    assert len(got["result"] if several else [got["result"]]) == len(told["returns"])


@pytest.mark.parametrize("code", client_blocks())
def test_the_readmes_client_gets_its_answers(url, monkeypatch, code):
    monkeypatch.chdir(ASSETS.parent)
    got = {}
    exec(code.replace(PAGE, url), got)
    assert got["report"]["views"] == list(VIEW_SETS["d4"])
    assert [row["fusion"] for row in got["rows"]] == list(FUSIONS)
