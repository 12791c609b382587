"""What a model file says of itself: ports, metadata and files of weights, read without an engine.

OpenVINO's `.xml` lists its layers; Ultralytics writes `metadata.yaml` beside it, of which the flat keys and the list of
names are understood. Metadata may be anything: what is not understood is kept as text and fails nobody.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from sightline.errors import Misconfigured
from sightline.models.onnx_file import read_onnx
from sightline.vision.network import Port, Shape, is_nhwc, numpy_name

__all__ = ["Facts", "facts_of", "labels_of", "weights_of"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model file says of itself.

    Attributes:
        inputs, outputs: in the file's order, at least one each.
        metadata: e.g. `task`, `names`.
        quantised: it holds quantised weights.
        data: bytes that a file of external weights must have, by its location relative to the model's folder.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]
    quantised: bool
    data: Mapping[str, int] = field(default_factory=dict)

    @property
    def picture(self) -> Port:
        """The input that takes the picture: the first with four sides."""
        return next((port for port in self.inputs if len(port.shape) == 4), self.inputs[0])

    @property
    def input(self) -> Shape:
        """Shape of its picture, None for a side that may vary."""
        return self.picture.shape

    @property
    def output(self) -> Shape:
        """Shape of its first output; empty where it does not say."""
        return self.outputs[0].shape

    @property
    def labels(self) -> tuple[str, ...]:
        """By class id; empty where the metadata does not say them, or not understandably."""
        return labels_of(self.metadata.get("names", ""))

    @property
    def fixed(self) -> tuple[int, int] | None:
        """Width and height where the network takes no other; None where it takes any."""
        if len(self.input) != 4:
            return None
        height, width = self.input[1:3] if is_nhwc(self.input) else self.input[2:]
        return None if height is None or width is None else (width, height)


def facts_of(path: Path) -> Facts:
    """Read an `.onnx` or an OpenVINO `.xml` file.

    Raises:
        Misconfigured: it is neither.
    """
    try:
        if path.suffix.lower() == ".xml":
            return _openvino(path)
        file = read_onnx(path)
    except (ValueError, IndexError, ElementTree.ParseError) as exc:
        raise Misconfigured(
            f"{path.name}: no {path.suffix} model in it ({exc}): choose another file, or get it again",
            code="model",
        ) from exc
    return Facts(file.inputs, file.outputs, file.metadata, file.quantised, file.data)


def weights_of(path: Path, facts: Facts) -> tuple[Path, ...]:
    """The files beside a model that hold its weights, which belong to it; in the order in which they are hashed.

    Raises:
        Misconfigured: one is not there, is too short, or does not lie in the model's folder.
    """
    if path.suffix.lower() == ".xml":
        return (weights_of_xml(path),)
    for location, size in facts.data.items():
        file = path.parent / location
        inside = PurePosixPath(location.replace("\\", "/"))
        if not location or inside.is_absolute() or ".." in inside.parts or ":" in location:
            raise Misconfigured(
                f"{path.name}: its weights are said to be in {location!r}, outside its folder: export it again with "
                "its data beside it",
                code="model",
            )
        if not file.is_file():
            raise Misconfigured(
                f"{path.name}: {location}, which holds its weights, is not beside it: copy both files together",
                code="model",
            )
        if file.stat().st_size < size:
            raise Misconfigured(
                f"{path.name}: {location} has {file.stat().st_size} bytes, its weights need {size}: it was cut, copy it "
                "again",
                code="model",
            )
    return tuple(path.parent / location for location in facts.data)


def weights_of_xml(path: Path) -> Path:
    """The `.bin` of an OpenVINO model, in the case of its `.xml`.

    Raises:
        Misconfigured: it is not there.
    """
    beside = [path.with_suffix(suffix) for suffix in (".bin", ".BIN") if path.with_suffix(suffix).is_file()]
    if not beside:
        raise Misconfigured(
            f"{path.name}: {path.stem}.bin, which holds its weights, is not beside it", code="model"
        )
    return beside[0]


def labels_of(text: str) -> tuple[str, ...]:
    """Labels of `{0: 'person', 1: 'car'}`, `['person', 'car']`, `0: person, 1: car`, or the like in JSON.

    Returns:
        by class id; empty where the text says something else, e.g. `None`, or ids that do not count from 0.

    >>> labels_of('{"0": "car", "1": "person"}'), labels_of("{1: 'car', 2: 'person'}"), labels_of("None")
    (('car', 'person'), (), ())
    """
    try:
        names = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pairs = re.findall(r"(\d+):\s*['\"]?(.*?)['\"]?\s*(?:,|$)", text)
        names = {int(number): name for number, name in pairs}
    if isinstance(names, dict):
        by_id = {int(key): name for key, name in names.items() if str(key).isdecimal()}
        if len(by_id) != len(names) or sorted(by_id) != list(range(len(by_id))):
            return ()
        names = [by_id[number] for number in range(len(by_id))]
    if not isinstance(names, list | tuple) or not all(isinstance(name, str | int) for name in names):
        return ()
    return tuple(str(name) for name in names)


def _openvino(path: Path) -> Facts:
    root = ElementTree.parse(path).getroot()
    layers = root.findall("layers/layer")
    ports = {
        (layer.get("id"), port.get("id")): port for layer in layers for port in layer.findall("output/port")
    }
    sources = {
        edge.get("to-layer"): ports.get((edge.get("from-layer"), edge.get("from-port")))
        for edge in root.findall("edges/edge")
    }
    inputs = [layer for layer in layers if layer.get("type") == "Parameter"]
    outputs = [layer for layer in layers if layer.get("type") == "Result"]
    if not inputs or not outputs:
        raise ValueError("no network with an input and an output in it")
    weights_of_xml(path)
    quantised = any(layer.get("type") == "FakeQuantize" for layer in layers)
    return Facts(
        tuple(_input(layer) for layer in inputs),
        tuple(_output(layer, sources.get(layer.get("id"))) for layer in outputs),
        _metadata(path.with_name("metadata.yaml")),
        quantised,
    )


def _input(layer: ElementTree.Element) -> Port:
    data, port = layer.find("data"), layer.find("output/port")
    kind = "" if data is None else data.get("element_type", "")
    names = "" if port is None else port.get("names", "")
    return Port(names.partition(",")[0] or layer.get("name", ""), numpy_name(kind), _port_shape(port))


def _output(layer: ElementTree.Element, source: ElementTree.Element | None) -> Port:
    """A result has the name of the port that feeds it."""
    names = "" if source is None else source.get("names", "")
    kind = "" if source is None else source.get("precision", "").lower()
    name = names.partition(",")[0] or layer.get("name", "").partition("/sink_port")[0]
    return Port(name, numpy_name(kind), _port_shape(layer.find("input/port")))


def _port_shape(port: ElementTree.Element | None) -> Shape:
    if port is None:
        return ()
    sizes = [int(dim.text or -1) for dim in port.findall("dim")]
    return tuple(size if size > 0 else None for size in sizes)


def _scalar(written: str) -> str:
    r"""A text of YAML: quoted in one of two ways, or plain up to a comment.

    >>> _scalar(" 'driver''s car' # old"), _scalar('"a \\"b\\""'), _scalar("car, parked # first")
    ("driver's car", 'a "b"', 'car, parked')
    """
    text = written.strip()
    if match := re.match(r"'((?:[^']|'')*)'", text):
        return match[1].replace("''", "'")
    if match := re.match(r'"(?:[^"\\]|\\.)*"', text):
        return str(json.loads(match[0]))
    return re.split(r"\s#", text)[0].strip()


def _flow(written: str) -> str:
    """`{0: car, 1: person}` or `[car, person]` of YAML as JSON; what is nothing of that stays as it is."""
    text = written.strip()
    inside = re.fullmatch(r"([{\[])(.*)[}\]]", text)
    if inside is None:
        return text
    items = re.findall(r"\s*((?:'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"|[^,'\"])+)(?:,|$)", inside[2])
    if inside[1] == "[":
        return json.dumps([_scalar(item) for item in items])
    pairs = [item.partition(":") for item in items]
    return json.dumps({_scalar(key): _scalar(value) for key, _, value in pairs})


def _metadata(beside: Path) -> dict[str, str]:
    text = beside.read_text("utf-8", "replace") if beside.exists() else ""
    metadata = dict(re.findall(r"^(\w+): *(\S.*)$", text, re.MULTILINE))
    names = re.search(r"^names:[ \t]*\n((?:[ \t-]+.*\n?)+)", text, re.MULTILINE)
    if names:
        lines = [line.strip() for line in names[1].splitlines() if line.strip()]
        if all(line.startswith("- ") for line in lines):
            metadata["names"] = json.dumps([_scalar(line[2:]) for line in lines])
        else:
            pairs = [line.partition(":") for line in lines]
            metadata["names"] = json.dumps({_scalar(key): _scalar(value) for key, _, value in pairs})
    elif "names" in metadata:
        metadata["names"] = _flow(metadata["names"])
    return metadata
