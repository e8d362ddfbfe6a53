import os
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import sklearn.metrics
import torch

from tta_demo.learning.fit import fit_steps
from tta_demo.learning.module import Form
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.samples.labelled import Source
from tta_demo.tasks.cache import DRAWN
from tta_demo.tasks.gallery import PIXELS, Gallery, compare
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import predict_views, to_tensor

WORLD = WORLDS["weeds"]
CLASSES = WORLD.record.classes
VIEWS = ("hflip", "identity", "shift")  # the original is not the first; one leaves pixels unseen


@pytest.fixture(scope="module")
def fields():
    return {f"field {seed}": WORLD.generate(seed, 0.7) for seed in (4_000_100, 4_000_101)}


def learned(views, weights, pool="linear"):
    return Plan(views, "learned", Weights(weights, pool))


NUMBERS = count()


def fresh(fields, world=WORLD):
    """A gallery of the fields, in their order, by names that no other gallery has."""
    number = next(NUMBERS)
    return Gallery(
        world, {f"{number} {name}": Source(lambda one=one: one) for name, one in fields.items()}
    )


def names_of(gallery):
    return list(gallery.sources)


@pytest.fixture(scope="module")
def looked(fields):
    gallery = fresh(fields)
    for name in names_of(gallery):
        gallery.look(name, VIEWS)
    return gallery


@contextmanager
def counted():
    """A list that grows by one with every forward pass of the model."""
    passes = []
    network = load_model(WORLD.model).network
    handle = network.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        yield passes
    finally:
        handle.remove()


# Looking


def test_a_second_look_costs_nothing_and_another_view_one_pass_a_picture(fields):
    gallery = fresh(fields)
    names = names_of(gallery)
    with counted() as passes:
        for views, total in (
            (("identity", "hflip"), 4),
            (("identity", "hflip"), 4),
            (("hflip",), 4),
            (("hflip", "shift", "identity"), 6),
            (("shift", "identity"), 6),
        ):
            for name in names:
                gallery.look(name, views)
            assert len(passes) == total, views
        gallery.answers(names, VIEWS)
        compare(gallery, names, learned(VIEWS, np.full(3, 1 / 3)))
        assert len(passes) == 6, "fitting and comparing must not look again"


def test_of_models_together_only_those_run_that_have_not_looked(fields):
    both = WORLD.by(WORLD.models[:2])
    gallery = fresh(fields, both)
    names, rows = names_of(gallery), both.record.rows(("hflip", "identity"))
    alone = [Gallery(WORLD.by([name]), gallery.sources) for name in both.looking]
    with counted() as passes:
        for name in names:
            alone[0].look(name, ("hflip", "identity"))
        assert gallery.missing(names, rows) == names
        plan = Plan(rows, "learned", Weights([0, 0, 0.25, 0.75]))
        verdict = compare(gallery, names, plan)
        assert len(passes) == 4, "the first one's looks are kept"
    assert gallery.missing(names, rows) == alone[1].missing(names, ("identity", "hflip")) == []
    weights = learned(("hflip", "identity"), [0.25, 0.75])
    first, second = (compare(one, names, weights) for one in alone)
    assert verdict.none == pytest.approx(first.none)
    assert verdict.learned == pytest.approx(second.learned)
    assert gallery.notes(names) == alone[0].notes(names)
    for (stack, labels), *own in zip(
        gallery.stacks(names, rows),
        *(one.stacks(names, ("hflip", "identity")) for one in alone),
        strict=True,
    ):
        assert torch.equal(stack.log_probs, torch.cat([one.log_probs for one, _ in own]))
        assert all(np.array_equal(labels, each) for _, each in own)


def test_pictures_are_missing_until_all_views_have_looked(fields):
    gallery = fresh(fields)
    one, other = names_of(gallery)
    assert gallery.missing([one, other], ["identity"]) == [one, other]
    gallery.look(one, ["identity", "hflip"])
    assert gallery.missing([one, other], ["hflip"]) == [other]
    assert gallery.missing([one], ["identity", "hflip"]) == []
    assert gallery.missing([one], ["identity", "vflip"]) == [one]


def test_the_stacks_are_the_views_answers_at_pixels_of_the_picture(fields):
    # The truth that stands in for the labels says where each pixel is.
    numbered = {
        name: replace(one, labels=np.arange(one.labels.size).reshape(one.labels.shape))
        for name, one in fields.items()
    }
    gallery = fresh(numbered)
    for name in names_of(gallery):
        gallery.look(name, VIEWS[:1])
        gallery.look(name, VIEWS)
    stacks = gallery.stacks(names_of(gallery), VIEWS)
    for name, (stack, places) in zip(numbered, stacks, strict=True):
        assert len(np.unique(places)) == len(places) == PIXELS
        image = to_tensor(numbered[name].rgb)
        wanted = predict_views(load_model(WORLD.model), image, VIEWS)
        assert stack.views == VIEWS
        logs = wanted.log_probs.flatten(2)[..., places]
        torch.testing.assert_close(stack.log_probs.float(), logs, atol=5e-3, rtol=1e-3)
        assert torch.equal(stack.seen, wanted.seen.flatten(1)[:, places])
        assert 0 < stack.seen[2].sum() < PIXELS


def test_the_labels_are_those_of_the_pixels(fields, looked):
    for name, (_, labels) in zip(fields, looked.stacks(names_of(looked), VIEWS), strict=True):
        share = np.bincount(fields[name].labels.ravel(), minlength=3) / fields[name].labels.size
        drawn = np.bincount(labels, minlength=3) / PIXELS
        np.testing.assert_allclose(drawn, share, atol=0.03)


def test_views_that_all_saw_everything_need_no_coverage(looked):
    for stack, _ in looked.stacks(names_of(looked), ("identity", "hflip")):
        assert stack.seen is None


def test_the_pixels_do_not_depend_on_the_order_of_looks(fields, looked):
    other = fresh(fields)
    names = names_of(other)[::-1]
    for view in VIEWS[::-1]:
        for name in names:
            other.look(name, [view])
    for (one, truth), (two, again) in zip(
        looked.stacks(names_of(looked)[::-1], VIEWS), other.stacks(names, VIEWS), strict=True
    ):
        np.testing.assert_array_equal(truth, again)
        assert torch.equal(one.log_probs, two.log_probs)


def test_a_picture_of_fewer_pixels_is_kept_whole(fields):
    name, one = next(iter(fields.items()))
    small = replace(one, rgb=one.rgb[:40, :50], labels=one.labels[:40, :50])
    gallery = fresh({name: small})
    gallery.look(*names_of(gallery), ["identity"])
    ((stack, labels),) = gallery.stacks(names_of(gallery), ["identity"])
    assert stack.log_probs.shape == (1, 3, 2000)
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(small.labels.ravel()))


def test_answers_are_those_of_the_pixels_that_all_views_saw(looked):
    names = names_of(looked)
    stacks = [stack for stack, _ in looked.stacks(names, VIEWS)]
    answers = looked.answers(names, VIEWS)
    counts = [int(stack.seen.all(0).sum()) for stack in stacks]
    assert [len(labels) for labels in answers.labels] == counts
    assert 0 < answers.pixels == sum(counts) < 2 * PIXELS
    assert answers.probs[0].shape == (3, 3, counts[0])


# Keeping


def uploads(folder, fields):
    """A gallery of pictures that come from files, which are read whenever they are asked for."""
    folder.mkdir()
    sources, reads = {}, []
    for name, one in fields.items():
        (folder / f"{name}.png").write_bytes(bytes(len(name)))

        def read(name=name, one=one):
            reads.append(name)
            return one

        sources[name] = Source(read, (folder / f"{name}.png",))
    return Gallery(WORLD, sources), reads


def bytes_of(gallery, names, views):
    looks = [gallery.look(name, views).values() for name in names]
    return sum(look.nbytes for some in looks for look in some)


def test_galleries_of_uploads_stay_within_the_one_limit(fields, tmp_path, monkeypatch):
    names = list(fields)
    first, _ = uploads(tmp_path / "first", fields)
    own = bytes_of(first, names, VIEWS)
    assert own > 2 * 3 * PIXELS * len(names) * len(VIEWS)
    monkeypatch.setattr(DRAWN, "limit", 2 * own)
    galleries = [uploads(tmp_path / f"visitor {i}", fields)[0] for i in range(4)]
    for gallery in galleries:
        for name in names:
            gallery.look(name, VIEWS)
            assert DRAWN.nbytes <= DRAWN.limit
    kept = [not gallery.missing(names, VIEWS) for gallery in galleries]
    assert kept == [False, False, True, True], "who came first leaves first"
    assert DRAWN.nbytes == DRAWN.limit


def test_what_left_the_cache_is_looked_at_again_and_is_the_same(fields, tmp_path, monkeypatch):
    names = list(fields)
    gallery, reads = uploads(tmp_path / "own", fields)
    plan = learned(VIEWS, [0.2, 0.7, 0.1])
    stacks, verdict = list(gallery.stacks(names, VIEWS)), compare(gallery, names, plan)
    assert reads == names
    monkeypatch.setattr(DRAWN, "limit", 0)
    uploads(tmp_path / "other", fields)[0].look(names[0], VIEWS)  # nothing fits any more
    assert gallery.missing(names, VIEWS) == names
    monkeypatch.undo()
    with counted() as passes:
        again = list(gallery.stacks(names, VIEWS))
        assert len(passes) == len(names) * len(VIEWS)
        assert str(compare(gallery, names, plan)) == str(verdict)
        assert len(passes) == len(names) * len(VIEWS)
    assert reads == 2 * names
    for (one, labels), (other, truth) in zip(stacks, again, strict=True):
        assert torch.equal(one.log_probs, other.log_probs)
        assert torch.equal(one.seen, other.seen)
        np.testing.assert_array_equal(labels, truth)


def test_a_gallery_works_even_if_nothing_can_be_kept(fields, looked, tmp_path, monkeypatch):
    gallery, _ = uploads(tmp_path / "own", fields)
    monkeypatch.setattr(DRAWN, "limit", 0)
    plan = learned(VIEWS, [0.2, 0.7, 0.1])
    verdict = compare(gallery, list(fields), plan)
    monkeypatch.undo()
    assert str(verdict) == str(compare(looked, names_of(looked), plan))
    assert gallery.missing(list(fields), VIEWS) == list(fields)


def test_a_file_that_changed_is_another_picture(fields, tmp_path):
    (name, one), *_ = fields.items()
    gallery, _ = uploads(tmp_path / "own", {name: one})
    gallery.look(name, VIEWS)
    same = Gallery(WORLD, {name: Source(pytest.fail, gallery.sources[name].files)})
    assert same.missing([name], VIEWS) == []
    same.look(name, VIEWS)
    gallery.sources[name].files[0].write_bytes(b"somebody painted over it")
    changed = Gallery(WORLD, {name: Source(lambda: one, gallery.sources[name].files)})
    assert changed.missing([name], VIEWS) == [name]


def test_files_of_one_name_size_and_time_in_two_folders_are_two_pictures(fields, tmp_path):
    (name, one), *_ = fields.items()
    mine, theirs = (uploads(tmp_path / owner, {name: one})[0] for owner in ("me", "you"))
    for gallery in (mine, theirs):
        os.utime(gallery.sources[name].files[0], ns=(10**18, 10**18))
    mine.look(name, VIEWS)
    assert mine.missing([name], VIEWS) == []
    assert theirs.missing([name], VIEWS) == [name]


def test_a_kept_look_holds_no_more_memory_than_it_says(fields):
    gallery = fresh(fields)
    for name in names_of(gallery):
        for one in gallery.look(name, VIEWS).values():
            held = one.log_probs.untyped_storage().nbytes() + one.seen.untyped_storage().nbytes()
            base = one.labels if one.labels.base is None else one.labels.base
            assert held + base.nbytes == one.nbytes == PIXELS * (2 * 3 + 1 + 1)


def test_a_picture_that_cannot_be_read_is_told_and_nothing_is_kept(fields):
    def broken():
        raise ValueError("no picture")

    gallery = Gallery(WORLD, {"broken": Source(broken)})
    with pytest.raises(ValueError, match="no picture"):
        gallery.look("broken", VIEWS)
    assert gallery.missing(["broken"], VIEWS) == ["broken"]


# Comparing


def slow_scores(stacks, views, weights):
    """The scores by scikit-learn of a weighted mean over the views that saw a pixel."""
    fused, truths = [], []
    for stack, labels in stacks:
        places = [stack.views.index(view) for view in views]
        probs = stack.log_probs[places].double().exp().numpy()
        seen = stack.seen[places].numpy()
        for i, label in enumerate(labels):
            here = seen[:, i]
            mean = np.asarray(weights)[here] @ probs[here, :, i]
            fused.append(mean / mean.sum())
            truths.append(label)
    fused, labels = np.array(fused), np.argmax(fused, 1)
    jaccard = sklearn.metrics.jaccard_score(truths, labels, average=None)
    scores = {
        "miou": jaccard.mean(),
        "miou_without_background": jaccard[1:].mean(),
        "f1": sklearn.metrics.f1_score(truths, labels, average="macro"),
        "accuracy": sklearn.metrics.accuracy_score(truths, labels),
        "nll": sklearn.metrics.log_loss(truths, fused, labels=range(3)),
    }
    return scores | {f"iou_{n}": value for n, value in zip(CLASSES, jaccard, strict=True)}


def test_the_verdict_has_the_scores_of_scikit_learn_at_the_same_pixels(looked):
    names, weights = names_of(looked), np.array([0.2, 0.7, 0.1])
    verdict = compare(looked, names, learned(VIEWS, weights))
    for got, views, shares in (
        (verdict.none, ("identity",), [1]),
        (verdict.mean, VIEWS, [1, 1, 1]),
        (verdict.learned, VIEWS, weights),
    ):
        wanted = slow_scores(looked.stacks(names, VIEWS), views, shares)
        assert {key: got[key] for key in wanted} == pytest.approx(wanted, abs=1e-4)
    assert verdict.pictures == 2
    for key, difference in verdict.gain.items():
        value = verdict.learned[key] - verdict.mean[key]
        assert difference.value == pytest.approx(value, abs=1e-12), key
        assert not difference.known, "two pictures are too few"


def test_no_tta_is_the_original_view_even_if_it_is_not_among_the_views(looked):
    names, views = names_of(looked), ("hflip", "shift")
    verdict = compare(looked, names, learned(views, [1.0, 0.0]))
    alone = compare(looked, names, learned(VIEWS, [1.0, 0, 0]))
    assert verdict.none == alone.none
    assert verdict.mean != alone.mean


@pytest.mark.parametrize("shape", [(3,), (3, 3)], ids=["view", "class"])
def test_even_weights_gain_nothing_over_the_mean(shape, looked):
    verdict = compare(looked, names_of(looked), learned(VIEWS, np.full(shape, 1 / 3)))
    assert verdict.learned == pytest.approx(verdict.mean, abs=1e-5)
    assert verdict.gain["nll"].value == pytest.approx(0, abs=1e-6)


def test_a_plan_carries_the_pool(looked):
    names, weights = names_of(looked), np.full(3, 1 / 3)
    linear, log = (
        compare(looked, names, learned(VIEWS, weights, pool)) for pool in ("linear", "log")
    )
    same = compare(looked, names, Plan(VIEWS, "gmean"))
    assert log.learned == pytest.approx(same.learned, abs=1e-6)
    assert log.learned["nll"] != pytest.approx(linear.learned["nll"], abs=1e-6)


# From pictures to a file


def file_of(done, views, calibration, scores):
    belongs = {"world": "weeds", "model": WORLD.model, "digest": WORLD.record.digest}
    return WeightFile.of(done, views, CLASSES, calibration, scores, **belongs)


@pytest.mark.parametrize(
    ("method", "form"),
    [("exact", Form()), ("adam", Form(per_class=True, pool="log"))],
    ids=["view", "class"],
)
def test_what_was_learned_goes_through_a_file_and_fuses_the_same(method, form, looked, tmp_path):
    names = names_of(looked)
    *_, done = fit_steps(looked.answers(names, VIEWS), method, form=form)
    scores = {"test": {"miou": 0.5}}
    file = file_of(done, VIEWS, {"pictures": 2}, scores)
    file.save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert loaded == file
    assert (loaded.world, loaded.model, loaded.digest) == (
        "weeds",
        WORLD.model,
        WORLD.record.digest,
    )
    assert (loaded.method, loaded.prior, loaded.pool) == (method, done.prior, form.pool)
    assert loaded.calibration == {"pictures": 2, "pixels": done.pixels}
    assert loaded.scores["test"] == {"miou": 0.5}
    assert loaded.scores["gap"] == done.gap
    weights = loaded.select(VIEWS, WORLD.record.digest, CLASSES)
    assert weights.pool == form.pool
    np.testing.assert_allclose(weights.values, done.weights, atol=2e-6)
    again = compare(looked, names, Plan(VIEWS, "learned", weights))
    fitted = compare(looked, names, done.plan(VIEWS))
    assert again.learned == pytest.approx(fitted.learned, abs=1e-3)
    assert again.learned["nll"] == pytest.approx(fitted.learned["nll"], abs=1e-5)


def test_learned_weights_are_likelier_than_the_mean_on_their_own_pixels(looked):
    names, views = names_of(looked), ("identity", "hflip")
    *_, done = fit_steps(looked.answers(names, views))
    verdict = compare(looked, names, done.plan(views))
    assert verdict.learned["nll"] <= verdict.mean["nll"] + 1e-6
    # Both say what even and learned weights cost on these pixels.
    own = file_of(done, views, {}, {}).scores
    found = own["nll_on_the_calibration_pixels"]
    assert found["even"] == pytest.approx(verdict.mean["nll"], abs=1e-3)
    assert found["found"] == pytest.approx(verdict.learned["nll"], abs=1e-3)
