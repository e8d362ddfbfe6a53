"""Small ONNX files of every kind."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

MIX = np.float32([[3, -2, 0.5], [-1, 2, 0], [0, 0.5, 1], [1, 1, -3]])
"""Four classes as sums of red, green and blue: they are told apart, and no symmetry is hidden."""


def file(nodes, shape, tensors=(), kind=TensorProto.FLOAT, outputs=("y",), opset=None):
    """Returns the bytes of a file whose input is `x` of a shape, a name for a free length."""
    stored = [numpy_helper.from_array(value, name) for name, value in dict(tensors).items()]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        initializer=stored,
    )
    opsets = [helper.make_opsetid("", 17), *(opset or [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def node(op, inputs, output="y", **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def mixing(shape=(1, 3, "h", "w"), mix=MIX, last=None, **more):
    """A file that gives every pixel `mix` times its colour, `(B, C, H, W)`, then `last`."""
    weights = {"w": mix[:, :, None, None].astype(np.float32)}
    if last is None:
        return file([node("Conv", ["x", "w"])], shape, weights, **more)
    return file([node("Conv", ["x", "w"], "z"), last], shape, weights, **more)


def channels_last(shape):
    """The same with the colours last, in and out."""
    nodes = [
        node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w"], "z"),
        node("Transpose", ["z"], "y", perm=[0, 2, 3, 1]),
    ]
    return file(nodes, shape, {"w": MIX[:, :, None, None]})


def coarse(shape):
    """The same, answered on every fourth pixel only."""
    pool = node("AveragePool", ["z"], kernel_shape=[4, 4], strides=[4, 4])
    return mixing(shape, last=pool)


def classifier(classes=5, shape=(1, 3, 32, 32)):
    """A file that gives scores of the mean colour, `(B, C)`."""
    weights = np.linspace(-1, 1, 3 * classes, dtype=np.float32).reshape(3, classes)
    nodes = [
        node("GlobalAveragePool", ["x"], "p"),
        node("Flatten", ["p"], "f"),
        node("MatMul", ["f", "w"]),
    ]
    return file(nodes, shape, {"w": weights})
