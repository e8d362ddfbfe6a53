"""Models of the Hub on the page, from a Hub on this computer; without a browser."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hub_models import save
from hub_server import REVISION, instead_of_the_hub
from yours_files import run_code, said

from tta_demo.models.hub import HUB_MENU, hub_model
from tta_demo.models.hub_files import MAX_HUB_BYTES
from tta_demo.models.registry import load_model
from tta_demo.tasks.segment import segment
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, tick
from tta_demo.ui.segment.share import shared
from tta_demo.ui.takeaway.facts import Takeaway
from tta_demo.ui.yours.actions import OWN
from tta_demo.ui.yours.model import YOURS, Reading

SETTINGS = Settings("weeds", "mean", True, tick(VIEW_SETS["flips"]))
OFFERED = HUB_MENU["segment"][0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of models by name: one of the menu, one of another task, one with broken weights."""
    folders = {}
    for name, kind in ((OFFERED, "segformer"), ("me/resnet", "resnet"), ("me/cut", "deeplab")):
        folders[name] = tmp_path_factory.mktemp("hub") / kind
        save(folders[name], kind)
    weights = folders["me/cut"] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return folders


@pytest.fixture
def hub(folders, tmp_path, monkeypatch):
    with instead_of_the_hub(monkeypatch, folders, tmp_path / "cache") as hub:
        yield hub


@pytest.fixture
def visitor(unseen):
    """One who looks at a picture with the demo's model."""
    visitor = SegmentVisitor()
    visitor.case = SegmentCase(name="mine", picture=unseen, settings=SETTINGS)
    return visitor


def load(visitor, name):
    """Returns all that changes on the page when a visitor loads a model by its name."""
    return list(OWN.load(visitor, name, SETTINGS))


def test_a_model_of_the_menu_comes_looks_and_says_its_revision(visitor, hub, folders):
    updates = load(visitor, OFFERED)
    case = visitor.case
    assert case.settings.world == YOURS
    assert REVISION[:12] in said(updates)
    assert "4 classes" in said(updates)
    assert "s a look" in said(updates)
    expected = segment(hub_model(str(folders[OFFERED]), "segment"), case.picture).one_look
    np.testing.assert_array_equal(case.segment().one_look, expected)
    assert shared(case)["query"] == ""


def test_its_progress_is_told_in_megabytes_while_it_comes(visitor, hub, folders):
    hub.open.clear()
    size = (folders[OFFERED] / "model.safetensors").stat().st_size
    signs = []
    for update in OWN.load(visitor, OFFERED, SETTINGS):
        signs.append(update.get("own_told", ""))
        if f"of {size / 1e6:.1f} MB" in signs[-1]:
            hub.open.set()
    loading = [sign for sign in signs if f"max='{size}'" in sign]
    assert "0.0 of" in loading[0]
    assert visitor.own is not None


def test_a_download_is_stopped_and_nobody_waits_for_it(visitor, hub):
    hub.open.clear()
    before, updates = visitor.case, []
    worker = threading.Thread(target=lambda: updates.extend(load(visitor, OFFERED)))
    worker.start()
    while "model.safetensors" not in hub.fetched:
        assert worker.is_alive()
        worker.join(0.05)
    OWN.stop(visitor)
    worker.join(10)
    assert not worker.is_alive(), "it waits for the Hub"
    hub.open.set()
    assert "stopped" in said(updates)
    assert (visitor.case, visitor.own) == (before, None)


def test_another_picture_is_not_kept_waiting_by_a_download(visitor, hub):
    hub.open.clear()
    coming = OWN.load(visitor, OFFERED, SETTINGS)
    next(coming)
    visitor.call_off()  # as whoever opens a picture does before the turn
    assert "stopped" in said(list(coming))
    hub.open.set()
    with visitor.turn:
        pass


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("me/nothing", "no model me/nothing"),
        ("me/resnet", "made to classify"),
        ("me/cut", "cannot be loaded"),
        ("https://example.org", "OWNER/MODEL"),
        ("", "OWNER/MODEL"),
        (None, "OWNER/MODEL"),
        ("<b>x</b>", "&lt;b&gt;"),
    ],
)
def test_what_is_refused_is_told_and_the_model_before_stays(visitor, hub, name, why):
    load(visitor, OFFERED)
    own, case = visitor.own, visitor.case
    updates = load(visitor, name)
    assert "role='alert'" in said(updates)
    assert why in said(updates)
    assert (visitor.own, visitor.case) == (own, case)
    assert not any("stage" in update or "box" in update for update in updates)


def test_what_is_too_large_is_refused_before_it_comes(visitor, hub):
    hub.sizes["model.safetensors"] = MAX_HUB_BYTES + 1
    assert "600 MB" in said(load(visitor, OFFERED))
    assert "model.safetensors" not in hub.fetched


def test_without_a_network_the_cache_serves_or_one_sentence_is_said(visitor, hub):
    load(visitor, OFFERED)
    own, case = visitor.own, visitor.case
    hub.shutdown()
    hub.server_close()
    assert "cannot be reached" in said(load(visitor, HUB_MENU["segment"][1]))
    assert (visitor.own, visitor.case) == (own, case)
    assert REVISION[:12] in said(load(visitor, OFFERED))


def test_a_page_for_everybody_takes_the_menu_alone(visitor, hub, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "me/page")
    assert "not offered" in said(load(visitor, "me/resnet"))
    assert visitor.own is None
    load(visitor, OFFERED)
    assert visitor.own is not None


def test_its_names_and_colours_change_without_a_pass_but_not_how_it_is_read(visitor, hub):
    load(visitor, OFFERED)
    before, settings = visitor.case.segment(), visitor.case.settings
    list(OWN.rename(visitor, "a #010203\nb\nc\nd", settings))
    after = visitor.case.segment()
    assert after.model.classes == tuple("abcd")
    assert after.model.palette.colors[0] == (1, 2, 3)
    assert after.looks["identity"] is before.looks["identity"]
    assert load_model(after.model) is load_model(before.model)
    updates = list(OWN.correct(visitor, Reading("0..255", "BGR"), settings))
    assert "role='alert'" in said(updates)
    assert visitor.case.segment().model is after.model


@pytest.mark.slow
def test_the_code_fetches_it_by_its_name(visitor, hub, tmp_path):
    load(visitor, OFFERED)
    list(OWN.rename(visitor, "left 'a'\nright 'a'\nc #102030\nd", visitor.case.settings))
    list(OWN.exchange(visitor, "left 'a' = right 'a'", visitor.case.settings))
    truth = np.arange(40 * 64, dtype=np.uint8).reshape(40, 64) % 4
    case = replace(visitor.case, truth=truth, own_mask=True)
    taken = Takeaway(case, case.segment())
    assert REVISION[:12] in taken.code
    assert taken.report["model"]["swap"] == [["left 'a'", "right 'a'"]]
    cached = {"HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    run_code(taken, tmp_path / "away", cached)
