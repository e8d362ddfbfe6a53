import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tta_demo.models.onnx_wire import read_onnx


def model(nodes, tensors):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])
    graph = helper.make_graph(nodes, "g", [value], [answer], initializer=tensors)
    return helper.make_model(graph)


def test_operators_and_weights_are_read_as_the_library_reads_them():
    weights = np.float32([[1, -2], [0.5, 3e-8]])
    flat = helper.make_tensor("b", TensorProto.FLOAT, [2], [7.0, 8.0])  # numbers, not raw bytes
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Fancy", ["h", "b"], ["y"], domain="of.mine"),
    ]
    found = read_onnx(
        model(nodes, [numpy_helper.from_array(weights, "w"), flat]).SerializeToString()
    )
    assert [(n.op, n.domain, n.inputs) for n in found.nodes] == [
        ("MatMul", "", ("x", "w")), ("Fancy", "of.mine", ("h", "b")),
    ]  # fmt: skip
    assert [tensor.name for tensor in found.tensors] == ["w", "b"]
    np.testing.assert_array_equal(found.tensors[0].floats, weights)
    np.testing.assert_array_equal(found.tensors[1].floats, [7, 8])
    assert not any(tensor.external for tensor in found.tensors)


def test_what_lies_in_another_file_is_noticed_and_other_numbers_are_no_floats():
    tensor = numpy_helper.from_array(np.int64([1, 2]), "n")
    far = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[2], data_location=1)
    far.external_data.add(key="location", value="../secret")
    found = read_onnx(
        model([helper.make_node("Relu", ["x"], ["y"])], [tensor, far]).SerializeToString()
    )
    assert [t.external for t in found.tensors] == [False, True]
    for tensor in found.tensors:
        with pytest.raises(ValueError, match=tensor.name):
            _ = tensor.floats


def test_operators_within_branches_are_found():
    inner = helper.make_graph(
        [helper.make_node("Hidden", [], ["z"], domain="of.mine")], "inner", [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    found = read_onnx(model([node], []).SerializeToString())
    assert [n.op for n in found.nodes].count("Hidden") == 2


def test_cut_off_files_are_refused_in_a_sentence_and_never_crash():
    whole = model([helper.make_node("Relu", ["x"], ["y"])], []).SerializeToString()
    refused = 0
    for end in range(len(whole)):
        try:
            read_onnx(whole[:end])
        except ValueError as error:
            assert "no whole ONNX file" in str(error)  # noqa: PT017 (some prefixes are whole)
            refused += 1
    assert refused > len(whole) // 2


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 a zip", b"\x80\x02}q\x00.", b"\xff" * 40, b":" * 9]
)
def test_other_files_are_refused(data):
    with pytest.raises(ValueError, match="no whole ONNX file"):
        read_onnx(data)


def within(number, data):
    """A message with one field, which holds bytes."""
    length = bytes((len(data) >> 7 * n & 127) | 128 * (n < 3) for n in range(4))
    return bytes([number << 3 | 2]) + length + data


@pytest.mark.parametrize("places", [(), (7,), (7, 1), (7, 13, 2, 1, 2), (7, 5, 1)], ids=str)
def test_a_file_of_nothing_but_small_parts_which_would_take_gigabytes_is_refused(places):
    data = b"\x0a\x00" * 600_000
    for number in reversed(places):
        data = within(number, data)
    with pytest.raises(ValueError, match="too many small parts"):
        read_onnx(data)
