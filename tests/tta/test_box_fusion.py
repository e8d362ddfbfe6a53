import warnings

import numpy as np
import pytest
import torch
from ensemble_boxes import weighted_boxes_fusion

from tta_demo.models.centernet import CenterNet, Detector
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import deaugment_boxes, predict_boxes
from tta_demo.tta.boxes import Boxes, iou, nms_groups
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.views import VIEW_SETS, VIEWS, View

SIZE = (61, 90)  # height, width
FIELDS = "xyxy", "scores", "labels"
UPRIGHT = [view for view in VIEWS.values() if not view.tilt]
EXACT = [view for view in UPRIGHT if view.zoom == 1]
ZOOMS = [view for view in UPRIGHT if view.zoom != 1]
TILTS = [view for view in VIEWS.values() if view.tilt]

by_name = {"ids": lambda view: view.name}


# From the augmented picture back


def picture_of(box, size=SIZE):
    x1, y1, x2, y2 = box
    image = torch.zeros(3, *size)
    image[:, y1:y2, x1:x2] = 1
    return image


def bright_box(images):
    """The oracle: edges of what is bright."""
    middle = (images.max() + images.min()) / 2
    rows, columns = (images[0].mean(0) > middle).nonzero().T
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return [Boxes([[int(edge) for edge in edges]], [0.9], [1])]


def soft_box(images):
    """The oracle of blurred edges: centre and extent of the brightness."""
    edges = []
    for profile in (images[0, 0].amax(0), images[0, 0].amax(1)):
        places, extent = torch.arange(len(profile)) + 0.5, float(profile.sum())
        centre = float((places * profile).sum()) / extent
        edges.append((centre - extent / 2, centre + extent / 2))
    (x1, x2), (y1, y2) = edges
    return [Boxes([[x1, y1, x2, y2]], [0.9], [1])]


@pytest.mark.parametrize("box", [(3, 7, 40, 19), (60, 20, 71, 55), (0, 0, 9, 5)], ids=str)
@pytest.mark.parametrize("view", EXACT, **by_name)
def test_a_bright_rectangle_is_found_where_it_is_through_every_view(view, box):
    found = predict_boxes(bright_box, picture_of(box), [view.name])[view.name].boxes
    np.testing.assert_array_equal(found.xyxy, [box])
    assert (found.scores, found.labels) == (0.9, 1)


@pytest.mark.parametrize("view", ZOOMS, **by_name)
def test_a_bright_rectangle_is_found_where_it_is_through_every_zoom(view):
    found = predict_boxes(soft_box, picture_of((20, 14, 61, 43)), [view.name])[view.name].boxes
    np.testing.assert_allclose(found.xyxy, [(20, 14, 61, 43)], atol=0.15)


@pytest.mark.parametrize("name", VIEW_SETS["d4"])
def test_a_view_that_moves_in_every_way_at_once_is_undone_too(name):
    view = View("x", "", "", "", symmetry=VIEWS[name].symmetry, zoom=0.75, shift=0.1)
    image = picture_of((20, 14, 61, 43))
    found = deaugment_boxes(view, soft_box(view.augment(image[None]))[0], SIZE)
    np.testing.assert_allclose(found.xyxy, [(20, 14, 61, 43)], atol=0.15)


@pytest.mark.parametrize("view", UPRIGHT, **by_name)
def test_the_whole_frame_comes_back_as_what_the_view_saw(view):
    height, width = view.augment(torch.zeros(1, 3, *SIZE)).shape[-2:]
    whole = deaugment_boxes(view, Boxes([[-3, -3, width + 3, height + 3]], [1], [1]), SIZE)
    # the shift loses what it moved out, but for the three pixels that the box stands over
    lost = {"shift": (round(0.05 * 90) - 3, 0)}.get(view.name, (0, 0))
    np.testing.assert_allclose(whole.xyxy, [[0, 0, 90 - lost[0], 61 - lost[1]]])


def test_a_box_outside_the_picture_keeps_its_place_but_no_area():
    shift = VIEWS["shift"]
    boxes = Boxes([[0, 0, 2, 2], [10, 10, 20, 20]], [0.9, 0.8], [1, 2])
    back = deaugment_boxes(shift, boxes, SIZE)
    assert back.areas.tolist() == [0, 100]
    assert back.labels.tolist() == [1, 2]


@pytest.mark.parametrize("view", UPRIGHT, **by_name)
def test_a_view_that_finds_nothing_gives_no_boxes(view):
    assert len(deaugment_boxes(view, Boxes.empty(), SIZE)) == 0


@pytest.mark.parametrize("view", TILTS, **by_name)
def test_tilts_are_refused_before_the_model_runs(view):
    with pytest.raises(ValueError, match=view.name.replace("+", r"\+")):
        deaugment_boxes(view, Boxes.empty(), SIZE)
    with pytest.raises(ValueError, match="tilts"):
        predict_boxes(pytest.fail, torch.zeros(3, 8, 9), ["identity", view.name])


@pytest.mark.parametrize(
    ("shape", "views"),
    [((3, 8, 9), []), ((3, 8, 9), ["rot45"]), ((8, 9), ["hflip"]), ((1, 8, 9), ["hflip"])],
    ids=str,
)
def test_wrong_pictures_and_unknown_views_are_refused(shape, views):
    with pytest.raises(ValueError, match=r"view|image"):
        predict_boxes(bright_box, torch.zeros(shape), views)


# Fusion


def found_in(rng, views, labels=2, size=SIZE):
    """Views' boxes of the same few things, moved a little, some lost and some made up."""
    corner = rng.uniform(0, 0.7, (rng.integers(1, 6), 2))
    things = np.hstack([corner, corner + rng.uniform(0.05, 0.3, corner.shape)])
    kinds = rng.integers(1, labels + 1, len(things))
    found = []
    for _ in range(views):
        seen = np.flatnonzero(rng.random(len(things)) < 0.8)
        seen = rng.permutation(np.concatenate([seen, seen[rng.random(len(seen)) < 0.3]]))
        xyxy = things[seen] + rng.normal(0, 0.015, (len(seen), 4))
        xyxy = np.clip(np.hstack([xyxy[:, :2], np.maximum(xyxy[:, 2:], xyxy[:, :2])]), 0, 1)
        scores = rng.uniform(0.01, 1, len(seen))
        found.append(Boxes(xyxy * np.tile(size[::-1], 2), scores, kinds[seen]))
    return found


def reference(found, weights, size=SIZE, **options):
    """What ensemble-boxes gives: (xyxy, scores, labels) in pixels."""
    unit = np.tile(size[::-1], 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about boxes without an area
        xyxy, scores, labels = weighted_boxes_fusion(
            [(one.xyxy / unit).tolist() for one in found],
            [one.scores.tolist() for one in found],
            [one.labels.tolist() for one in found],
            weights=weights,
            **options,
        )
    return xyxy * unit, scores, labels


def close(boxes, wanted):
    xyxy, scores, labels = wanted
    np.testing.assert_allclose(boxes.scores, np.minimum(scores, 1), atol=1e-6)
    np.testing.assert_allclose(boxes.xyxy, xyxy, atol=1e-4)
    np.testing.assert_array_equal(boxes.labels, labels)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize(("fusion", "conf"), [("wbf", "avg"), ("wbf-max", "max")])
def test_weighted_fusion_equals_the_reference(fusion, conf, weighted):
    rng = np.random.default_rng(0)
    merged = 0
    for _ in range(600):
        found = found_in(rng, rng.integers(1, 6))
        weights = rng.uniform(0.1, 3, len(found)) if weighted else None
        threshold = rng.uniform(0.3, 0.8)
        wanted = reference(found, weights, iou_thr=threshold, conf_type=conf)
        fused = fuse_boxes(found, fusion, weights, threshold)
        close(fused.boxes, wanted)
        merged += len(fused.boxes) < sum(map(len, found))
    assert merged > 300


def test_suppression_over_views_is_that_of_all_their_boxes():
    rng = np.random.default_rng(1)
    for _ in range(100):
        found, threshold = found_in(rng, rng.integers(1, 6)), rng.uniform(0.3, 0.8)
        found = [one.take(one.areas > 0) for one in found]
        every = [np.concatenate([getattr(b, n) for b in found]) for n in FIELDS]
        boxes = Boxes(*every)
        wanted = boxes.take(np.array([group[0] for group in nms_groups(boxes, threshold)]))
        fused = fuse_boxes(found, "nms", threshold=threshold)
        close(fused.boxes, [getattr(wanted, n) for n in FIELDS])


every_fusion = pytest.mark.parametrize("fusion", [name for name in FUSERS if name != "none"])


@every_fusion
def test_every_box_that_counts_went_into_one_fused_box(fusion):
    found = found_in(np.random.default_rng(2), 8)
    fused = fuse_boxes(found, fusion, threshold=0.4)
    assert len(fused.members) == len(fused.boxes)
    gone = sorted(member for group in fused.members for member in group)
    wanted = [(v, i) for v, one in enumerate(found) for i in np.flatnonzero(one.areas > 0)]
    assert gone == wanted
    for box, label, group in zip(fused.boxes.xyxy, fused.boxes.labels, fused.members, strict=True):
        scores = np.array([found[v].scores[i] for v, i in group])
        corners = np.array([found[v].xyxy[i] for v, i in group])
        assert {found[v].labels[i] for v, i in group} == {label}
        assert (np.diff(scores) <= 0).all(), "the best first"
        mean = corners[0] if fusion == "nms" else scores @ corners / scores.sum()
        np.testing.assert_allclose(box, mean)


@every_fusion
def test_the_order_of_the_views_does_not_matter(fusion):
    rng = np.random.default_rng(3)
    found, weights = found_in(rng, 6), rng.uniform(0.1, 1, 6)
    order = rng.permutation(6)
    one = fuse_boxes(found, fusion, weights)
    other = fuse_boxes([found[i] for i in order], fusion, weights[order])
    np.testing.assert_allclose(other.boxes.xyxy, one.boxes.xyxy)
    np.testing.assert_allclose(other.boxes.scores, one.boxes.scores)
    assert tuple(tuple((order[v], i) for v, i in g) for g in other.members) == one.members


@every_fusion
def test_only_the_ratio_of_weights_matters(fusion):
    found = found_in(np.random.default_rng(4), 5)
    none, even = fuse_boxes(found, fusion), fuse_boxes(found, fusion, [0.2] * 5)
    np.testing.assert_allclose(even.boxes.scores, none.boxes.scores)
    assert even.members == none.members


def test_a_view_of_weight_0_changes_no_box_of_the_others():
    alone = Boxes([[0, 0, 9, 9], [20, 20, 30, 30]], [0.5, 0.8], [1, 1])
    silent = Boxes([[0, 0, 9, 8], [50, 0, 60, 9], [50, 0, 60, 8]], [0.9, 0.9, 0.7], [1, 1, 1])
    fused = fuse_boxes([alone, silent], "wbf-max", [1, 0])
    np.testing.assert_allclose(fused.boxes.xyxy[:2], alone.xyxy[::-1])
    np.testing.assert_allclose(fused.boxes.scores, [0.8, 0.5, 0])
    np.testing.assert_allclose(fused.boxes.xyxy[2], [50, 0, 60, 8.5])


@every_fusion
def test_boxes_that_tie_stay_in_the_order_of_the_views(fusion):
    apart = [Boxes([[20 * k, 0, 20 * k + 9, 9]], [0.5], [1]) for k in (2, 0, 1)]
    assert fuse_boxes(apart, fusion).members == (((0, 0),), ((1, 0),), ((2, 0),))


@every_fusion
def test_labels_never_mix_whatever_they_are(fusion):
    found = [Boxes([[0, 0, 9, 9]] * 3, [0.9, 0.8, 0.7], [-1, 10**6, 0])] * 2
    assert fuse_boxes(found, fusion).boxes.labels.tolist() == [-1, 10**6, 0]


def test_scores_that_uneven_weights_lift_above_1_are_clipped():
    twice = Boxes([[0, 0, 9, 9]] * 2, [0.9, 0.9], [1, 1])
    assert fuse_boxes([twice, Boxes.empty()], weights=[1, 0.1]).boxes.scores == 1


@every_fusion
def test_boxes_without_an_area_are_left_out(fusion):
    thin = Boxes([[3, 3, 3, 9], [0, 0, 9, 9], [5, 5, 5, 5]], [0.9, 0.5, 1], [1, 1, 1])
    fused = fuse_boxes([thin, thin], fusion)
    assert fused.members == (((0, 1), (1, 1)),)


@every_fusion
def test_nothing_found_in_any_view_is_nothing(fusion):
    fused = fuse_boxes([Boxes.empty()] * 3, fusion)
    assert (len(fused.boxes), fused.members) == (0, ())


@every_fusion
def test_a_thousand_boxes_that_do_not_touch_all_stay(fusion):
    corner = np.stack(np.meshgrid(np.arange(40), np.arange(25)), axis=-1).reshape(-1, 2) * 10.0
    many = Boxes(np.hstack([corner, corner + 9]), np.linspace(0, 1, 1000), np.ones(1000, int))
    fused = fuse_boxes([many, many], fusion)
    assert len(fused.boxes) == 1000
    assert {len(group) for group in fused.members} == {2}


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [0, 0], [1, -1], [1, np.nan], [1, np.inf]])
def test_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(ValueError, match="2 views"):
        fuse_boxes([Boxes.empty()] * 2, weights=weights)


def test_no_view_and_unknown_ways_are_refused():
    with pytest.raises(ValueError, match="0 views"):
        fuse_boxes([])
    with pytest.raises(ValueError, match="soft"):
        fuse_boxes([Boxes.empty()], "soft")
    with pytest.raises(ValueError, match="one view"):
        fuse_boxes([Boxes.empty()] * 2, "none")
    with pytest.raises(ValueError, match=r"-0\.1"):
        fuse_boxes([Boxes.empty()], threshold=-0.1)


# Plans


def named(seed=5):
    names = "hflip", "identity", "rot90"
    return dict(zip(names, found_in(np.random.default_rng(seed), 3), strict=True))


@every_fusion
def test_a_plan_fuses_its_own_views_in_its_order_with_its_weights(fusion):
    found = named()
    plan = Plan(("rot90", "hflip"), fusion, Weights([0.25, 0.75]))
    fused = plan.fuse_boxes(found, threshold=0.4)
    wanted = fuse_boxes([found["rot90"], found["hflip"]], fusion, [0.25, 0.75], threshold=0.4)
    np.testing.assert_array_equal(fused.boxes.xyxy, wanted.boxes.xyxy)
    np.testing.assert_array_equal(fused.boxes.scores, wanted.boxes.scores)
    assert fused.members == wanted.members


def test_no_fusion_is_the_original_view_the_best_box_first():
    found = named()
    fused = ONE_LOOK.fuse_boxes(found, threshold=0.4)
    original = found["identity"]
    np.testing.assert_array_equal(
        fused.boxes.xyxy, original.xyxy[np.argsort(-original.scores, kind="stable")]
    )
    for box, ((view, place),) in zip(fused.boxes.xyxy, fused.members, strict=True):
        assert view == 0
        np.testing.assert_array_equal(found["identity"].xyxy[place], box)


@pytest.mark.parametrize("fuser", ["nms", "wbf", "wbf-max"])
def test_fusing_all_eight_symmetries_makes_any_detector_turn_with_the_picture(fuser):
    detector = Detector(CenterNet(2, width=4))
    image = torch.rand(3, 37, 52)
    plan = Plan(VIEW_SETS["d4"], fuser)

    def fused(image):
        looks = predict_boxes(detector, image, plan.views)
        found = {name: one.boxes for name, one in looks.items()}
        return plan.fuse_boxes(found, threshold=0.7).boxes

    plain = fused(image)
    assert len(plain) > 5
    for name in VIEW_SETS["d4"][1:]:
        view = VIEWS[name]
        turned = fused(view.augment(image[None])[0])
        back = deaugment_boxes(view, turned, (37, 52))
        np.testing.assert_allclose(back.scores, plain.scores, atol=1e-6)
        assert (iou(back.xyxy, plain.xyxy).max(0) > 0.999).all()
