import re
from contextlib import nullcontext

import pytest

from tta_demo.commands.arguments import (
    chosen_model,
    chosen_views,
    chosen_world,
    one_of,
    refuse_among_pictures,
)
from tta_demo.models.registry import MODELS, models_for
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.views import VIEW_SETS


@pytest.mark.parametrize("name", VIEW_SETS)
def test_a_set_stands_for_its_views_and_for_itself_written_out(name):
    assert chosen_views(name) == VIEW_SETS[name]
    assert chosen_views(",".join(VIEW_SETS[name])) == VIEW_SETS[name]


@pytest.mark.parametrize("name", CROP_SETS)
def test_crops_are_chosen_in_the_same_way(name):
    assert chosen_views(name, CROP_SETS, CROP_VIEWS) == CROP_SETS[name]


def test_the_order_of_names_is_kept_and_spaces_do_no_harm():
    assert chosen_views(" zoom0.5, identity ,tilt+10,") == ("zoom0.5", "identity", "tilt+10")


@pytest.mark.parametrize("text", ["", " , ", "sideways", "identity,sideways", "hflip,hflip"])
def test_wrong_views_are_refused_with_the_sets_that_there_are(text):
    with pytest.raises(ValueError, match=re.escape(f"or give a set: {', '.join(VIEW_SETS)}")):
        chosen_views(text)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_found_by_its_name_by_its_model_and_by_both(name):
    world = WORLDS[name]
    for asked in ((name, None), (None, world.model), (name, world.model)):
        assert chosen_world(*asked) is world


@pytest.mark.parametrize("task", ["segment", "classify", "detect"])
def test_a_model_is_found_only_where_it_is_offered(task):
    offered = models_for(task)
    for name, record in MODELS.items():
        if name in offered:
            assert chosen_model(name, offered) is record
        else:
            with pytest.raises(ValueError, match=f"--model '{name}' .* {next(iter(offered))}"):
                chosen_model(name, offered)


def test_a_wrong_choice_is_told_with_the_right_ones():
    one_of("--mean", "pooled", ("pooled", "per-image"))
    with pytest.raises(ValueError, match=r"--mean 'some' .* pooled, per-image"):
        one_of("--mean", "some", ("pooled", "per-image"))


@pytest.mark.parametrize(
    ("out", "below", "refused"),
    [
        ("pictures", False, True),
        ("pictures", True, True),
        ("pictures/out", False, False),
        ("pictures/out", True, True),
        ("pictures2", True, False),
        ("masks/../pictures", False, True),
    ],
)
def test_results_do_not_go_where_pictures_are(tmp_path, out, below, refused):
    wanted = pytest.raises(ValueError, match=f"{out} is where") if refused else nullcontext()
    with wanted:
        refuse_among_pictures(tmp_path / out, None, tmp_path / "pictures", below=below)
