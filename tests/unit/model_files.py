"""Model files of a few hundred bytes: shapes and metadata, no weights."""

import struct
from pathlib import Path

__all__ = ["DYNAMIC", "FIXED", "NAMES", "external", "field", "onnx_file", "openvino_file"]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, shape, dtype: int = 1) -> bytes:
    dims = b"".join(
        field(1, field(1, side) if isinstance(side, int) else field(2, side.encode())) for side in shape
    )
    return field(1, name.encode()) + field(2, field(1, field(1, dtype) + field(2, dims)))


def external(name: str, location: str, offset: int = 0, length: int = 0) -> bytes:
    """A tensor whose values lie in another file."""
    entries = {"location": location, "offset": str(offset), "length": str(length)}
    data = (field(13, field(1, key.encode()) + field(2, text.encode())) for key, text in entries.items())
    return field(8, name.encode()) + b"".join(data) + field(14, 1)


def onnx_file(
    path: Path,
    image,
    output,
    operations=("Conv",),
    weights=(),
    extra=b"",
    name="output0",
    outputs=(),
    **metadata: str,
) -> Path:
    """An ONNX file with these shapes and metadata.

    Args:
        weights: tensors of its graph.
        extra: other fields of its graph.
        name: of its output.
        outputs: name and shape of further ones.
    """
    graph = b"".join(field(1, field(4, operation.encode())) for operation in operations)
    graph += extra + b"".join(field(5, weight) for weight in weights)
    graph += (
        field(5, field(8, b"weight"))
        + field(11, tensor("weight", (3, 3)))
        + field(11, tensor("images", image))
    )
    graph += field(12, tensor(name, output))
    graph += b"".join(field(12, tensor(*port)) for port in outputs)
    entries = (field(14, field(1, key.encode()) + field(2, text.encode())) for key, text in metadata.items())
    path.write_bytes(
        field(1, 8) + varint(3 << 3 | 5) + struct.pack("<f", 1) + field(7, graph) + b"".join(entries)
    )
    return path


FIXED = (1, 3, 640, 640)
DYNAMIC = ("n", 3, "h", "w")
NAMES = "{0: 'car', 1: \"driver's cab\"}"


def openvino_file(folder: Path) -> Path:
    """The layers that matter of an OpenVINO model of fixed size, with metadata as Ultralytics writes it."""
    port = "<port id='0'>{}</port>"
    image, output = (
        port.format("".join(f"<dim>{d}</dim>" for d in s)) for s in ((1, 3, 384, 640), (1, 6, 5040))
    )
    (folder / "m.xml").write_text(
        f"<net><layers><layer type='Parameter'><data element_type='f32'/><output>{image}</output></layer><layer type='FakeQuantize'/>"
        f"<layer type='Result'><input>{output}</input></layer></layers></net>"
    )
    (folder / "m.bin").write_bytes(b"weights")
    (folder / "metadata.yaml").write_text(
        "task: detect\nimgsz:\n- 384\n- 640\nnames:\n  0: car\n  1: person\nargs: {}\n"
    )
    return folder / "m.xml"
