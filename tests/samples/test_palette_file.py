import json
import time

import pytest

from tta_demo.pictures.palettes import Palette
from tta_demo.samples.palette_file import read_palette, read_swap


def test_a_palette_file_of_a_windows_editor_is_read(tmp_path):
    path = tmp_path / "colours.json"
    path.write_text('{"Köln": [1, 2, 3]}', encoding="utf-8-sig")
    assert read_palette(path, ["Köln"]) == Palette(("Köln",), ((1, 2, 3),))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"ground": [0, 0, 0], ', "line 1"),
        ("", "line 1"),
        ("[[0, 0, 0]]", "write"),
        ("7", "write"),
        ("[" * 100_000, "recursion"),
        ('{"a": [0, 0, 0]}', "missing: b; unknown: none"),
        ('{"a": [0, 0, 0], "B": [1, 1, 1], "x": [2, 2, 2]}', "missing: b; unknown: B, x"),
        ('{"a": [0, 0, 0], "b": [1, 1, 1], "b": [2, 2, 2]}', "once"),
        ('{"a": [0, 0, 0], "b": [1, 1, 256]}', "256"),
        ('{"a": [0, 0, 0], "b": [1, 1, -1]}', "-1"),
        ('{"a": [0, 0, 0], "b": [1, 1]}', "colour"),
        ('{"a": [0, 0, 0], "b": [0, 0, 0]}', "two classes"),
        ('{"a": [0, 0, 0], "b": "#ff0000"}', "b needs a colour"),
        ('{"a": [0, 0, 0], "b": [1, 1, "1"]}', "b needs a colour"),
        ('{"a": [0, 0, 0], "b": [1, 1, 0.5]}', "b needs a colour"),
        ('{"a": [0, 0, 0], "b": [1, 1, true]}', "b needs a colour"),
        ('{"a": [0, 0, 0], "b": {"r": 1}}', "b needs a colour"),
        ('{"a": [0, 0, 0], "b": 7}', "b needs a colour"),
    ],
)
def test_a_wrong_palette_file_is_refused_by_name(tmp_path, text, told):
    path = tmp_path / "colours.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"colours.json.*{told}"):
        read_palette(path, ("a", "b"))


def test_a_palette_file_that_is_missing_or_no_text_is_refused(tmp_path):
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("a.json", "b.json"):
        with pytest.raises(ValueError, match=name):
            read_palette(tmp_path / name, ("a",))


# What would cost more than its size


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"a": [0, 0, 0], "b" * (1 << 20): [1, 1, 1]}, "1,048,.* bytes, 1,048,576 are the most"),
        ({"a": [[n // 256 % 256, n % 256, n >> 16] for n in range(80_000)]}, "80,000 colours"),
        ([{"name": "a" * 100_000, "id": 10**4000}], "given|missing|most|colou?r|needs"),
        ([{"name": "a" * 100_000, "id": "1" * 100_000}], "has no id that is an integer"),
        ({"a" * 100_000: "x" * 100_000}, "needs a colour"),
        ({"classes": {}, **{"x" * 1000 + str(n): 1 for n in range(100)}}, "only swap may stand"),
        ({f"{n}" * 9: [n % 256, n // 256, 0] for n in range(10_000)}, "10,000 colours"),
    ],
)
def test_a_palette_file_that_would_take_long_is_refused_at_once_in_few_words(
    tmp_path, entries, told
):
    path = tmp_path / "colours.json"
    path.write_text(json.dumps(entries, separators=(",", ":")))
    begun = time.perf_counter()
    with pytest.raises(ValueError, match=f"colours.json.*({told})") as caught:
        read_palette(path)
    assert time.perf_counter() - begun < 5
    assert len(str(caught.value)) < 400
    with pytest.raises(ValueError, match=r"colours\.json") as caught:
        read_palette(path, [f"class {n}" for n in range(200)])
    assert len(str(caught.value)) < 700


# Left and right


def test_a_palette_may_say_which_classes_a_mirror_exchanges(tmp_path):
    path, colors = tmp_path / "palette.json", {"left": [1, 2, 3], "right": [4, 5, 6]}
    path.write_text(json.dumps(colors))
    assert read_swap(path) == ()
    wanted = read_palette(path)
    path.write_text(json.dumps({"classes": colors, "swap": [["left", "right"]]}))
    assert read_palette(path) == wanted
    assert read_swap(path) == (("left", "right"),)
    path.write_text(json.dumps({"classes": colors}))
    assert (read_palette(path), read_swap(path)) == (wanted, ())
    path.write_text(json.dumps({"classes": [1, 2, 3], "swap": [4, 5, 6]}))
    assert read_palette(path).names == ("classes", "swap"), "these can be classes too"


@pytest.mark.parametrize(
    "swap",
    ["left=right", [["left"]], [["left", "right", "left"]], ["lr"], {"left": "right"}, [[1, 2]]],
)
def test_a_palette_whose_swap_is_no_list_of_pairs_is_refused(swap, tmp_path):
    path = tmp_path / "palette.json"
    path.write_text(json.dumps({"classes": {"left": [1, 2, 3]}, "swap": swap}))
    with pytest.raises(ValueError, match="swap"):
        read_swap(path)


def test_a_palette_with_something_else_beside_its_classes_is_refused(tmp_path):
    path = tmp_path / "palette.json"
    path.write_text(json.dumps({"classes": {"left": [1, 2, 3]}, "swaps": []}))
    with pytest.raises(ValueError, match="swaps"):
        read_palette(path)
