"""What stands in an ONNX file, read without running it: operators and weights.

Source: `onnx.proto` and protobuf's encoding; only the few fields below are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["OnnxGraph", "OnnxNode", "OnnxTensor", "read_onnx"]

_MODEL_GRAPH, _MODEL_FUNCTIONS, _FUNCTION_NODE = 7, 25, 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_INPUT, _NODE_OP, _NODE_DOMAIN, _NODE_ATTRIBUTE = 1, 4, 7, 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_DIMS, _TYPE, _FLOATS, _NAME, _RAW, _LOCATION = 1, 2, 4, 8, 9, 14
_FLOAT = 1
_DEEPEST = 8
"""Graphs within graphs (loops, branches) are followed so far."""
_MOST = 500_000
"""Fields of a file; large networks have a tenth. Each of two bytes takes a hundred in memory."""

_Field = tuple[int, int | memoryview]


@dataclass(frozen=True)
class OnnxNode:
    """One operation: its `op` of a `domain` ("" for ONNX's own), and the names it takes."""

    op: str
    domain: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class OnnxTensor:
    """Stored numbers: a name, a shape, ONNX's type number, the bytes, and whether they are here.

    `external` numbers would lie in another file, which is never opened.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    data: memoryview
    external: bool

    @property
    def floats(self) -> np.ndarray:
        """The numbers as float32 in their shape; a `ValueError` if they are of another type."""
        if self.kind != _FLOAT or self.external:
            raise ValueError(f"weights {self.name!r} are not float32 of this file")
        return np.frombuffer(self.data, "<f4").reshape(self.shape)


@dataclass(frozen=True)
class OnnxGraph:
    """The operations in order, those of inner graphs after their own, and the stored tensors."""

    nodes: tuple[OnnxNode, ...]
    tensors: tuple[OnnxTensor, ...]


def read_onnx(data: bytes | bytearray) -> OnnxGraph:
    """Returns what stands in the bytes of an ONNX file; the tensors share them.

    Raises:
        ValueError: they are no ONNX file, one that is cut off, or one of very many small parts.
    """
    found = _Found([], [])
    try:
        parts = list(found.fields(memoryview(data)))
        graphs = [value for number, value in parts if number == _MODEL_GRAPH]
        if len(graphs) != 1:
            raise ValueError(f"{len(graphs)} graphs")
        _walk(graphs[0], found, _DEEPEST)
        for number, value in parts:
            if number == _MODEL_FUNCTIONS:
                for inner, part in found.fields(value):
                    if inner == _FUNCTION_NODE:
                        _read_node(part, found, _DEEPEST)
                    else:
                        found.skip(part)
            elif number != _MODEL_GRAPH:
                found.skip(value)
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"this is no whole ONNX file ({error})") from error
    return OnnxGraph(tuple(found.nodes), tuple(found.tensors))


@dataclass
class _Found:
    nodes: list[OnnxNode]
    tensors: list[OnnxTensor]
    count: int = 0

    def fields(self, data: memoryview) -> Iterator[_Field]:
        """Yields the fields of a message, as long as all together are not too many."""
        for field in _fields(data):
            self.add(1)
            yield field

    def skip(self, value: int | memoryview) -> None:
        """Counts a message that is not looked into as if it were full of empty ones."""
        self.add(0 if isinstance(value, int) else len(value) // 2)

    def add(self, count: int) -> None:
        self.count += count
        if self.count > _MOST:
            raise ValueError("too many small parts")


def _walk(graph: memoryview, found: _Found, depth: int) -> None:
    if not depth:
        raise ValueError("graphs within graphs without end")
    for number, value in found.fields(graph):
        if number == _GRAPH_INITIALIZER:
            found.tensors.append(_tensor(value, found))
        elif number == _GRAPH_SPARSE:
            found.tensors.extend(_sparse(value, found))
        elif number == _GRAPH_NODE:
            _read_node(value, found, depth)
        else:
            found.skip(value)


def _read_node(node: memoryview, found: _Found, depth: int) -> None:
    parts = list(found.fields(node))
    op, domain = (_text(parts, field) for field in (_NODE_OP, _NODE_DOMAIN))
    inputs = tuple(bytes(value).decode() for number, value in parts if number == _NODE_INPUT)
    found.nodes.append(OnnxNode(op, domain, inputs))
    for attribute in (value for number, value in parts if number == _NODE_ATTRIBUTE):
        for number, value in found.fields(attribute):
            if number in _ATTRIBUTE_GRAPHS:
                _walk(value, found, depth - 1)
            elif number in _ATTRIBUTE_TENSORS:
                found.tensors.append(_tensor(value, found))
            elif number in _ATTRIBUTE_SPARSE:
                found.tensors.extend(_sparse(value, found))


def _sparse(value: memoryview, found: _Found) -> Iterator[OnnxTensor]:
    """Yields the two tensors, values and places, of a sparse one."""
    return (_tensor(part, found) for number, part in found.fields(value) if number in (1, 2))


def _tensor(value: memoryview, found: _Found) -> OnnxTensor:
    parts = list(found.fields(value))
    shape: list[int] = []
    for number, dims in parts:
        if number == _DIMS:  # one by one, or packed
            found.skip(dims)
            shape += [dims] if isinstance(dims, int) else _varints(dims)
    kind = next((v for n, v in parts if n == _TYPE), 0)
    data = next((v for n, v in parts if n in (_RAW, _FLOATS)), memoryview(b""))
    external = any(v for n, v in parts if n == _LOCATION)
    return OnnxTensor(_text(parts, _NAME), tuple(shape), kind, data, external)


def _text(parts: list[_Field], wanted: int) -> str:
    return next((bytes(value).decode() for number, value in parts if number == wanted), "")


def _fields(data: memoryview) -> Iterator[_Field]:
    """Yields a message's fields: number, and a whole number or the bytes of what is longer."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"field of kind {kind}")
        if place + length > len(data):
            raise ValueError("cut off")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """Returns the number of 7 bits a byte that begins at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        shift, place = shift + 7, place + 1
        if byte < 128:
            return value, place
        if shift > 63:
            raise ValueError("number without end")


def _varints(data: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(data):
        value, place = _varint(data, place)
        values.append(value)
    return values
