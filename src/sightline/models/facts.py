"""What a model file says of itself: shapes and metadata, read without an engine.

ONNX is a protobuf message (https://github.com/onnx/onnx, onnx.proto): only the few fields that are needed are looked
at. OpenVINO's `.xml` lists its layers; Ultralytics writes `metadata.yaml` beside it, of which the flat keys and the
list of names are understood.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sightline.errors import Misconfigured

__all__ = ["Facts", "facts_of"]

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model file says of itself.

    Attributes:
        input: shape of its picture, None for a side that may vary: batch, channels, height, width.
        output: shape of its first output; empty where it does not say.
        metadata: e.g. `task`, `stride`.
        labels: by class id; empty where it does not say.
        quantised: it holds quantised weights.
    """

    input: Shape
    output: Shape
    metadata: dict[str, str]
    labels: tuple[str, ...]
    quantised: bool

    @property
    def fixed(self) -> tuple[int, int] | None:
        """Width and height where the network takes no other; None where it takes any."""
        if len(self.input) != 4 or self.input[2] is None or self.input[3] is None:
            return None
        return self.input[3], self.input[2]


def facts_of(path: Path) -> Facts:
    """Read an `.onnx` or an OpenVINO `.xml` file.

    Raises:
        Misconfigured: it is neither.
    """
    try:
        return _onnx(path) if path.suffix == ".onnx" else _openvino(path)
    except (ValueError, IndexError, ElementTree.ParseError) as exc:
        raise Misconfigured(
            f"{path.name}: no {path.suffix} model in it ({exc}): choose another file, or get it again",
            code="model",
        ) from exc


def _onnx(path: Path) -> Facts:
    content = memoryview(path.read_bytes())
    graph = memoryview(b"")
    metadata: dict[str, str] = {}
    for number, value in _fields(content):  # ModelProto: graph = 7, metadata_props = 14
        if number == 7:
            graph = _message(value)
        elif number == 14:
            entry = {key: bytes(_message(text)).decode() for key, text in _fields(_message(value))}
            metadata[entry.get(1, "")] = entry.get(2, "")
    inputs: list[memoryview] = []
    outputs: list[memoryview] = []
    weights, quantised = set(), False
    for number, value in _fields(graph):  # GraphProto: node 1, initializer 5, input 11, output 12
        if number == 1:
            quantised |= b"QuantizeLinear" in bytes(_first(_message(value), 4))  # NodeProto: op_type = 4
        elif number == 5:
            weights.add(bytes(_first(_message(value), 8)))  # TensorProto: name = 8
        elif number in (11, 12):
            (inputs if number == 11 else outputs).append(_message(value))
    pictures = [info for info in inputs if bytes(_first(info, 1)) not in weights]
    if not pictures or not outputs:
        raise ValueError("no graph with an input and an output in it")
    labels = _names(metadata.get("names", ""))
    return Facts(_value_shape(pictures[0]), _value_shape(outputs[0]), metadata, labels, quantised)


def _value_shape(info: memoryview) -> Shape:
    """ValueInfoProto: type = 2; TypeProto: tensor_type = 1; its shape = 2; TensorShapeProto: dim = 1."""
    shape = _first(_first(_first(info, 2), 1), 2)
    return tuple(_dimension(_message(value)) for number, value in _fields(shape) if number == 1)


def _dimension(dim: memoryview) -> int | None:
    """TensorShapeProto.Dimension: dim_value = 1, or dim_param = 2."""
    values = [value for number, value in _fields(dim) if number == 1]
    return values[0] if values and isinstance(values[0], int) and values[0] > 0 else None


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values of a protobuf message, in order."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {kind}")
        if at + size > len(message):
            raise ValueError("it ends in the middle")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _first(message: memoryview, wanted: int) -> memoryview:
    for number, value in _fields(message):
        if number == wanted:
            return _message(value)
    return memoryview(b"")


def _openvino(path: Path) -> Facts:
    if not path.with_suffix(".bin").exists():
        raise ValueError(f"{path.stem}.bin, which holds its weights, is not beside it")
    layers = ElementTree.parse(path).getroot().findall("layers/layer")
    picture = next((layer for layer in layers if layer.get("type") == "Parameter"), None)
    result = next((layer for layer in layers if layer.get("type") == "Result"), None)
    if picture is None or result is None:
        raise ValueError("no network with an input and an output in it")
    beside = path.with_name("metadata.yaml")
    text = beside.read_text("utf-8") if beside.exists() else ""
    names = re.search(r"^names:\n((?:[ \t]+.*\n?)+)", text, re.MULTILINE)
    labels = _names(", ".join(names[1].splitlines()) if names else "")
    metadata = dict(re.findall(r"^(\w+): *(\S.*)$", text, re.MULTILINE))
    quantised = any(layer.get("type") == "FakeQuantize" for layer in layers)
    return Facts(_port_shape(picture, "output"), _port_shape(result, "input"), metadata, labels, quantised)


def _port_shape(layer: ElementTree.Element, side: str) -> Shape:
    sizes = [int(dim.text or -1) for dim in layer.findall(f"{side}/port/dim")]
    return tuple(size if size > 0 else None for size in sizes)


def _names(text: str) -> tuple[str, ...]:
    """Labels of `{0: 'person', 1: 'car'}`, `['person', 'car']`, or `0: person, 1: car`, as Ultralytics writes them."""
    if not text:
        return ()
    try:
        names = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        pairs = re.findall(r"(\d+):\s*['\"]?(.*?)['\"]?\s*(?:,|$)", text)
        names = {int(number): name for number, name in pairs}
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise ValueError(f"class ids {sorted(names)} of its labels have gaps")
        names = [names[number] for number in range(len(names))]
    return tuple(str(name) for name in names)
