"""The page and sets of pictures on Ray: two processes that look, on this machine."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from tta_demo.evaluation.segment import evaluate_segmentation
from tta_demo.evaluation.spread import over_ray
from tta_demo.evidence.gather import gather
from tta_demo.evidence.job import segmenting
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.portable import portable
from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.masks import restore
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.labelled import Source
from tta_demo.samples.weeds import SEEDS, sample
from tta_demo.serving import app
from tta_demo.tasks.classify import classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

ray = pytest.importorskip("ray")
serve = pytest.importorskip("ray.serve")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]
WEEDS = WORLDS["weeds"].record
CAT = ASSETS / "examples" / "chelsea.jpg"
SOURCES = {f"weeds-{seed}": Source(partial(sample, seed)) for seed in SEEDS["test"][:4]}
BROKEN = {"broken": Source(Path("nowhere.png").read_bytes)}
FLIPS = VIEW_SETS["flips"]


@pytest.fixture(scope="module")
def cluster():
    """Two cores of this machine; the folder of what runs on them."""
    folder = tempfile.mkdtemp(prefix="ray-")  # not pytest's: sockets have short names
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("RAY_worker_niceness", "0")  # else other tests are served first
        try:
            ray.init(
                num_cpus=2,
                object_store_memory=100 * 2**20,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
                **quiet,
            )
            yield folder
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def served(cluster):
    """The address of the page, with two replicas of the models behind it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(app({"least": "2", "most": "2"}))
    return f"http://127.0.0.1:{port}"  # it ends with the cluster


@pytest.fixture(scope="module")
def client(served):
    return Client(served, verbose=False)


def replicas(cluster):
    """Returns the processor time in ticks of each process that looks, by its id."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            parent = (path.parent / fields[1] / "cmdline").read_text()
            if cluster in parent and ":models" in (path / "cmdline").read_text():
                found[int(path.name)] = int(fields[11]) + int(fields[12])
        except OSError:
            continue  # it has ended
    return found


def pictures(folder, size):
    """Returns the path of a picture that no cache has seen."""
    rgb = cv2.resize(read_picture(WORLDS["weeds"].examples[0]).rgb, size)
    rgb[:9, :9] = np.frombuffer(os.urandom(243), np.uint8).reshape(9, 9, 3)
    path = folder / "field.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def labels(path, picture):
    """Returns what the page answered, and what this process does."""
    wanted = segment(WEEDS, picture, Plan(VIEW_SETS["all"]))
    return np.asarray(Image.open(path)), restore(wanted.labels, picture.size)


def without_times(path):
    return re.sub(r'"seconds": [\d.e-]+', "", path.read_text())


def test_a_map_over_ray_is_a_map_with_what_fails_in_its_place(cluster):
    def half(number):
        if number == 3:
            raise ArithmeticError(number)
        return number / 2, os.getpid()

    found = list(over_ray(half, iter([*range(3), *range(4, 40)])))
    assert [value for value, _ in found] == [n / 2 for n in (*range(3), *range(4, 40))]
    assert os.getpid() not in {process for _, process in found}
    with pytest.raises(ArithmeticError, match="3"):
        list(over_ray(half, range(5)))


def test_evaluation_over_ray_goes_on_where_it_was_and_finds_the_same(cluster, tmp_path):
    two = Ensemble((WEEDS, MODELS["unet-weeds-novice"]))
    rows = two.rows(FLIPS[:2])
    plans = {"none": Plan(rows[:1], "none"), "mean": Plan(rows)}

    def run(folder, **how):
        how = {"progress": iter} | how
        sources = SOURCES | BROKEN
        out = tmp_path / folder
        return evaluate_segmentation(portable(two), sources, plans, WEEDS.palette, out, {}, **how)

    def killed(names):
        yield from names[:2]
        raise KeyboardInterrupt

    here = run("here")
    with pytest.raises(KeyboardInterrupt):
        run("ray", spread=over_ray, progress=killed)
    assert len((tmp_path / "ray" / "pictures.jsonl").read_text().splitlines()) == 3
    there = run("ray", spread=over_ray)
    assert there.failures == here.failures == {"broken": "nowhere.png is not there"}
    for path in (tmp_path / "here").rglob("*.*"):
        other = tmp_path / "ray" / path.relative_to(tmp_path / "here")
        if path.suffix == ".jsonl":
            assert without_times(path) == without_times(other)
        elif path.suffix != ".json":  # has the speed
            assert path.read_bytes() == other.read_bytes()


def test_evidence_gathered_over_ray_is_the_same(cluster, tmp_path):
    job = segmenting(WEEDS, SOURCES, FLIPS)
    here, *_ = gather(job, tmp_path / "here", iter)
    there, *_ = gather(job, tmp_path / "ray", iter, over_ray)
    assert [one.name for one in there.pictures] == [one.name for one in here.pictures]
    for one, other in zip(here.pictures, there.pictures, strict=True):
        assert np.array_equal(one.log_probs, other.log_probs)
        assert np.array_equal(one.truth, other.truth)


def test_the_page_answers_as_one_process_does_and_both_replicas_work(
    cluster, client, served, tmp_path
):
    assert b"<title>" in urlopen(served).read()
    before = replicas(cluster)
    assert len(before) == 2
    path = pictures(tmp_path, (256, 200))
    _, mask, _ = client.predict(handle_file(path), "weeds", "all", api_name="/segment")
    found, wanted = labels(mask, read_picture(path))
    assert np.array_equal(found, wanted)
    after = replicas(cluster)
    assert all(after[process] > ticks for process, ticks in before.items())


def test_boxes_and_classes_are_those_of_one_process(client):
    picture = read_picture(CAT)
    report, _ = client.predict(handle_file(CAT), "objects", "mirror", api_name="/detect")
    plan = Plan(tuple(report["views"]), report["fusion"])
    wanted = detect(MODELS["nanodet-g"], picture, plan)
    assert report["boxes"] == json.loads(json.dumps(wanted.findings()["boxes"]))
    report = client.predict(handle_file(CAT), "five-crop", api_name="/classify")
    plan = Plan(CROP_SETS["five-crop"], report["fusion"])
    assert (
        report["fused"]
        == classify(MODELS["efficientnet-lite0"], picture, plan).findings()["fused"]
    )


def test_a_replica_that_is_killed_in_the_middle_loses_no_request(cluster, client, tmp_path):
    before, path = replicas(cluster), pictures(tmp_path, (640, 480))
    asked = client.submit(handle_file(path), "weeds", "all", api_name="/segment")
    victim, ticks = next(iter(before.items()))
    deadline = time.monotonic() + 30
    while replicas(cluster)[victim] < ticks + 30:  # it is at work
        assert time.monotonic() < deadline, "it was asked nothing"
        time.sleep(0.01)
    os.kill(victim, signal.SIGKILL)
    assert not asked.done()
    _, mask, _ = asked.result(timeout=120)
    found, wanted = labels(mask, read_picture(path))
    assert np.array_equal(found, wanted)
    assert victim not in replicas(cluster)
