"""An ONNX file without its weights: ports, metadata, and the files beside it that hold weights.

ONNX is a protobuf message (https://github.com/onnx/onnx, onnx.proto): only the few fields that are needed are looked
at. Weights may lie outside (docs/ExternalData.md there): each such tensor names a file, relative to the model's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline.models.protobuf import fields, first, message
from sightline.vision.network import Port, Shape

__all__ = ["OnnxFile", "read_onnx"]

# TensorProto.DataType, by NumPy's names; bfloat16 is in no NumPy.
_TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    16: "bfloat16",
}
_EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """What an ONNX file says.

    Attributes:
        inputs: without those that are weights.
        outputs: in the graph's order.
        metadata: e.g. `task`, `names`.
        data: bytes that a file of weights must have, by its location relative to the model's folder.
        quantised: it holds quantised weights.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: dict[str, str]
    data: dict[str, int]
    quantised: bool


def read_onnx(path: Path) -> OnnxFile:
    """Read a file.

    Raises:
        ValueError, IndexError: it is no ONNX model.
    """
    content = memoryview(path.read_bytes())
    graph = memoryview(b"")
    metadata: dict[str, str] = {}
    data: dict[str, int] = {}
    for number, value in fields(content):  # ModelProto: graph = 7, metadata_props = 14, functions = 25
        if number == 7:
            graph = message(value)
        elif number == 14:
            entry = {key: _text(text) for key, text in fields(message(value))}
            metadata[entry.get(1, "")] = entry.get(2, "")
        elif number == 25:  # FunctionProto: node = 7
            for part, node in fields(message(value)):
                if part == 7:
                    _merge(data, _data_of_node(message(node)))
    inputs: list[Port] = []
    outputs: list[Port] = []
    weights, quantised = set(), False
    for number, value in fields(graph):  # GraphProto: node 1, initializer 5, input 11, output 12
        if number == 1:
            quantised |= b"QuantizeLinear" in bytes(first(message(value), 4))  # NodeProto: op_type = 4
        elif number == 5:
            weights.add(bytes(first(message(value), 8)))  # TensorProto: name = 8
        elif number in (11, 12):
            (inputs if number == 11 else outputs).append(_port(message(value)))
    pictures = [port for port in inputs if port.name.encode() not in weights]
    if not pictures or not outputs:
        raise ValueError("no graph with an input and an output in it")
    _merge(data, _data_of_graph(graph))
    return OnnxFile(tuple(pictures), tuple(outputs), metadata, dict(sorted(data.items())), quantised)


def _text(value: int | memoryview) -> str:
    return bytes(message(value)).decode("utf-8", "replace")


def _port(info: memoryview) -> Port:
    """ValueInfoProto: name = 1, type = 2; TypeProto: tensor_type = 1; its elem_type = 1, shape = 2."""
    tensor = first(first(info, 2), 1)
    kinds = [value for number, value in fields(tensor) if number == 1]
    kind = kinds[0] if kinds and isinstance(kinds[0], int) else 0
    return Port(_text(first(info, 1)), _TYPES.get(kind, f"type {kind}"), _shape(first(tensor, 2)))


def _shape(shape: memoryview) -> Shape:
    """TensorShapeProto: dim = 1."""
    return tuple(_dimension(message(value)) for number, value in fields(shape) if number == 1)


def _dimension(dim: memoryview) -> int | None:
    """TensorShapeProto.Dimension: dim_value = 1, or dim_param = 2."""
    values = [value for number, value in fields(dim) if number == 1]
    return values[0] if values and isinstance(values[0], int) and values[0] > 0 else None


def _merge(data: dict[str, int], found: Iterator[tuple[str, int]]) -> None:
    for location, end in found:
        data[location] = max(end, data.get(location, 0))


def _data_of_graph(graph: memoryview) -> Iterator[tuple[str, int]]:
    """Location and least size of each file of weights that a graph names, its subgraphs included."""
    for number, value in fields(graph):
        if number == 1:
            yield from _data_of_node(message(value))
        elif number == 5:
            yield from _data_of_tensor(message(value))
        elif number == 15:  # sparse_initializer: values = 1, indices = 2
            for part, tensor in fields(message(value)):
                if part in (1, 2):
                    yield from _data_of_tensor(message(tensor))


def _data_of_node(node: memoryview) -> Iterator[tuple[str, int]]:
    """NodeProto: attribute = 5; AttributeProto: t = 5, g = 6, tensors = 10, graphs = 11."""
    for number, attribute in fields(node):
        if number != 5:
            continue
        for part, value in fields(message(attribute)):
            if part in (5, 10):
                yield from _data_of_tensor(message(value))
            elif part in (6, 11):
                yield from _data_of_graph(message(value))


def _data_of_tensor(tensor: memoryview) -> Iterator[tuple[str, int]]:
    """TensorProto: external_data = 13, of StringStringEntryProto (key 1, value 2); data_location = 14."""
    entries: dict[str, str] = {}
    external = False
    for number, value in fields(tensor):
        if number == 13:
            entry = message(value)
            entries[_text(first(entry, 1))] = _text(first(entry, 2))
        elif number == 14:
            external = value == _EXTERNAL
    if external:
        yield entries.get("location", ""), int(entries.get("offset", 0)) + int(entries.get("length", 0))
