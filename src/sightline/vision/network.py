"""What goes into a network and comes out of it, in the words of no engine, and how a head reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline.errors import Misconfigured

__all__ = ["Plan", "Port", "Shape", "is_nhwc", "numpy_name", "plan_of", "port_words", "words"]

Shape = tuple[int | None, ...]

# OpenVINO's words of an element type that are not NumPy's.
_NUMPY = {
    "f16": "float16",
    "fp16": "float16",
    "f32": "float32",
    "fp32": "float32",
    "f64": "float64",
    "bf16": "bfloat16",
    "boolean": "bool",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
}
_PICTURES = ("float32", "float16", "float64", "uint8")
# Outputs of heads that read several, by the names that their exporters give them, in the order of the decoder.
_NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "detr": (("logits", "pred_logits", "labels"), ("pred_boxes", "boxes", "dets")),
    "detr-deployed": (("labels",), ("boxes",), ("scores",)),
}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network.

    Attributes:
        name: as the file says it.
        dtype: NumPy's name of the type, e.g. `float32`, `uint8`; the file's own word for a type that NumPy lacks.
        shape: None for a side that may vary; empty where the file does not say it.
    """

    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Plan:
    """Which inputs of a network are fed with what, and which outputs are read.

    Attributes:
        picture: index of the input that takes the picture.
        dtype: of the picture, by NumPy's name.
        nhwc: its channels come last.
        sizes: index of the input that takes width and height, int (1, 2); None where there is none.
        sizes_dtype: of that input.
        outputs: indices, in the order in which the head's decoder takes them.
    """

    picture: int
    dtype: str
    nhwc: bool
    sizes: int | None
    sizes_dtype: str
    outputs: tuple[int, ...]

    def shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Shape of the input for one picture."""
        return (1, height, width, 3) if self.nhwc else (1, 3, height, width)


def words(shape: Shape) -> str:
    """A shape for people.

    >>> words((1, 84, None)), words(())
    ('1x84x?', 'not said')
    """
    return "x".join("?" if side is None else str(side) for side in shape) or "not said"


def port_words(ports: Sequence[Port]) -> str:
    """Inputs or outputs for people.

    >>> port_words([Port("dets", "float32", (1, 300, 4)), Port("labels", "float32", (1, 300, 91))])
    'dets 1x300x4, labels 1x300x91'
    """
    return ", ".join(f"{port.name} {words(port.shape)}".strip() for port in ports)


def numpy_name(word: str) -> str:
    """NumPy's name of an element type of OpenVINO's.

    >>> numpy_name("f16"), numpy_name("u8")
    ('float16', 'uint8')
    """
    return _NUMPY.get(word, word)


def is_nhwc(shape: Shape) -> bool:
    """Whether a picture's channels come last.

    >>> is_nhwc((1, 640, 640, 3)), is_nhwc((1, 3, 640, 640)), is_nhwc((None, None, None, None))
    (True, False, False)
    """
    return len(shape) == 4 and shape[3] == 3 and shape[1] != 3


def plan_of(name: str, head: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> Plan:
    """How a network is fed and read.

    Args:
        name: of its file, for messages.
        head: what its output means; "" where that is not known yet.
        inputs, outputs: in the engine's order.

    Raises:
        Misconfigured: it takes no picture of three channels, batches only, numbers of a type that cannot be given, or
            something besides the picture; it says how to export it.
    """
    pictures = [number for number, port in enumerate(inputs) if len(port.shape) == 4]
    if len(pictures) != 1:
        raise _unfit(name, inputs, "one picture (1, 3, height, width) is expected")
    picture = inputs[pictures[0]]
    _check_picture(name, picture)
    others = [number for number in range(len(inputs)) if number != pictures[0]]
    sizes = [number for number in others if _takes_sizes(inputs[number])]
    if len(others) > 1 or sizes != others:
        rest = [inputs[number] for number in others if number not in sizes[:1]]
        raise _unfit(
            name,
            inputs,
            f"{port_words(rest)} cannot be given: besides the picture only its size is, two integers: export it "
            "without that input",
        )
    return Plan(
        pictures[0],
        picture.dtype,
        is_nhwc(picture.shape),
        sizes[0] if sizes else None,
        inputs[sizes[0]].dtype if sizes else "",
        outputs_of(name, head, outputs),
    )


def outputs_of(name: str, head: str, outputs: Sequence[Port]) -> tuple[int, ...]:
    """Indices of the outputs that a head reads: the first, or those of the names that exporters give them.

    Raises:
        Misconfigured: they are not there.
    """
    if head not in _NAMES:
        return (0,)
    found = [_named(outputs, names) for names in _NAMES[head]]
    if None in found:
        found = _shaped(head, outputs)
    if None in found or len(set(found)) < len(found):
        wanted = ", ".join(" or ".join(names) for names in _NAMES[head])
        raise Misconfigured(
            f"{name}: head {head!r} reads the outputs {wanted}; it has {port_words(outputs)}: correct `head` in the model "
            "card, or name the outputs in the export",
            code="model_head",
        )
    return tuple(number for number in found if number is not None)


def _named(outputs: Sequence[Port], names: Sequence[str]) -> int | None:
    by_name = {port.name.lower(): number for number, port in enumerate(outputs)}
    return next((by_name[name] for name in names if name in by_name), None)


def _shaped(head: str, outputs: Sequence[Port]) -> list[int | None]:
    """By shape and type, where that is certain: names that an exporter made up say nothing."""
    ranks = {
        rank: [number for number, port in enumerate(outputs) if len(port.shape) == rank] for rank in (2, 3)
    }
    boxes = [number for number in ranks[3] if outputs[number].shape[2] == 4]
    if len(boxes) != 1:
        return [None]
    if head == "detr":
        logits = [number for number in ranks[3] if number not in boxes]
        return [logits[0], boxes[0]] if len(logits) == 1 else [None]
    whole = [number for number in ranks[2] if "int" in outputs[number].dtype]
    scores = [number for number in ranks[2] if "float" in outputs[number].dtype]
    return [whole[0], boxes[0], scores[0]] if len(whole) == len(scores) == 1 else [None]


def _takes_sizes(port: Port) -> bool:
    return len(port.shape) == 2 and port.shape[1] in (2, None) and port.dtype in ("int64", "int32")


def _check_picture(name: str, port: Port) -> None:
    batch = port.shape[0]
    channels = 3 if is_nhwc(port.shape) else port.shape[1]
    if channels not in (3, None):
        raise _unfit(name, [port], f"pictures have three channels, not {channels}")
    if batch not in (1, None):
        raise _unfit(
            name,
            [port],
            f"it was exported for batches of {batch}, and pictures come one at a time: export it with batch=1, or with a "
            "dynamic batch (Ultralytics: dynamic=True; PyTorch: dynamic_axes)",
        )
    if port.dtype not in _PICTURES:
        raise _unfit(
            name, [port], f"numbers of type {port.dtype} cannot be given: export it with an input of float32"
        )


def _unfit(name: str, inputs: Sequence[Port], what: str) -> Misconfigured:
    return Misconfigured(f"{name}: input {port_words(inputs)}: {what}", code="model")
