from dataclasses import replace

import pytest
import torch
from torch import nn

from tta_demo.models.ensemble import (
    Ensemble,
    headed,
    look_as,
    members_of,
    one_look,
    rows_of,
    view_of,
    whose,
)
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.palettes import WEEDS
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import look
from tta_demo.tta.views import VIEW_SETS, VIEWS

EXPERT, SMALL = MODELS["unet-weeds"], MODELS["unet-weeds-small"]
BOTH = Ensemble((EXPERT, SMALL))


def test_rows_are_models_times_views_grouped_by_model():
    rows = BOTH.rows(["identity", "hflip"])
    assert [whose(row) for row in rows] == [
        (one.name, view) for one in (EXPERT, SMALL) for view in ("identity", "hflip")
    ]
    assert rows_of(EXPERT, VIEW_SETS["d4"]) == VIEW_SETS["d4"]


def test_one_look_is_at_the_picture_as_it_is_and_the_first_models():
    assert one_look(EXPERT) is ONE_LOOK
    assert one_look(BOTH).settings() == Plan(("unet-weeds/identity",), "none").settings()


def test_headings_are_over_the_rows_of_those_who_have_some():
    rows = ("unet-weeds-small/rot90", "unet-weeds/hflip", "unet-weeds/zoom0.5")
    found = [(heading, one.name, [*own]) for heading, one, own in headed(BOTH, rows)]
    assert found == [("Expert", "unet-weeds", [*rows[1:]]), ("Apprentice", SMALL.name, [rows[0]])]
    assert [heading for heading, _, _ in headed(BOTH, rows[1:])] == ["Expert"]
    ((heading, one, views),) = headed(SMALL, ("hflip",))
    assert (heading, one, views) == ("", SMALL, {"hflip": VIEWS["hflip"]})
    assert all(view_of(row) is VIEWS[whose(row)[1]] for row in rows)


def test_a_models_name_may_have_slashes():
    named = Ensemble((replace(EXPERT, name="a"), replace(SMALL, name="a/b")))
    assert [whose(row)[0] for row in named.rows(["hflip"])] == list(members_of(named))


def test_it_stands_where_one_record_does():
    assert (BOTH.classes, BOTH.palette, BOTH.task) == (EXPERT.classes, WEEDS, "segment")
    assert all(one.name in BOTH.name and one.digest in BOTH.digest for one in BOTH.members)


def test_the_digest_tells_members_and_their_names_but_not_their_order():
    assert Ensemble((SMALL, EXPERT)).digest == BOTH.digest
    assert Ensemble((EXPERT, MODELS["unet-weeds-novice"])).digest != BOTH.digest
    swapped = replace(EXPERT, name=SMALL.name), replace(SMALL, name=EXPERT.name)
    assert Ensemble(swapped).digest != BOTH.digest  # weights go by name


def test_all_members_are_loaded_each_once():
    loaded = load_model(BOTH)
    assert loaded == {one.name: load_model(one) for one in BOTH.members}


def test_a_row_looks_as_its_model_does():
    models = {name: nn.Conv2d(3, 3, 3, padding=1).eval() for name in "ab"}
    image = torch.rand(3, 9, 14)
    for row in ("a/hflip", "b/hflip", "b/zoom0.5"):
        who, view = whose(row)
        alone = look(models[who], image, VIEWS[view]).log_probs
        assert torch.equal(look_as(models, image, row).log_probs, alone), row
        assert torch.equal(look_as(models[who], image, view).log_probs, alone), row


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ((), "two or more"),
        ((EXPERT,), "two or more"),
        ((EXPERT, EXPERT), "unet-weeds, unet-weeds"),
        ((EXPERT, MODELS["unet-nuclei"]), "Weed-1.*nucleus|nucleus.*Weed-1"),
        ((MODELS["weed-detector"], EXPERT), "weed-detector"),
    ],
    ids=["none", "one", "one twice", "other classes", "another task"],
)
def test_what_cannot_look_together_is_refused(members, told):
    with pytest.raises(ValueError, match=told):
        Ensemble(members)
