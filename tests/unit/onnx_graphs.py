"""ONNX networks that run: tables of numbers plus the picture's mean grey value times other tables.

Written by hand from onnx.proto, since the package `onnx` is no dependency, not even of the tests.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.unit.model_files import field, tensor

__all__ = ["TYPES", "Table", "network"]

TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7, "float16": 10, "float64": 11}


class Table:
    """An output: `base + gain * mean`, where `mean` is that of the input's values as they arrive.

    Args:
        base, gain: arrays of one shape, batch of 1 included.
        sized: it is multiplied by width, height, width, height of the input `orig_target_sizes`.
        dtype: of the output.
    """

    def __init__(self, base, gain=0.0, *, sized: bool = False, dtype: str = "float32") -> None:
        self.base = np.asarray(base, np.float32)
        self.gain = np.broadcast_to(np.asarray(gain, np.float32), self.base.shape)
        self.sized, self.dtype = sized, dtype


def network(
    path: Path,
    outputs: Mapping[str, Table],
    *,
    image=(1, 3, 64, 96),
    dtype: str = "float32",
    name: str = "images",
    **metadata: str,
) -> Path:
    """Write a network; with a `sized` table it has a second input, `orig_target_sizes`."""
    nodes = [node("Cast", [name], ["f"], to=1), node("ReduceMean", ["f"], ["mean"], keepdims=0)]
    constants, ports = [], b""
    inputs = field(11, tensor(name, image, TYPES[dtype]))
    if any(table.sized for table in outputs.values()):
        inputs += field(11, tensor("orig_target_sizes", (image[0], 2), TYPES["int64"]))
        nodes += [
            node("Concat", ["orig_target_sizes", "orig_target_sizes"], ["whole"], axis=1),
            node("Cast", ["whole"], ["sizes"], to=1),
        ]
    for number, (output, table) in enumerate(outputs.items()):
        base, gain, grey, bare, sized = (
            f"{word}{number}" for word in ("base", "gain", "grey", "bare", "sized")
        )
        constants += [constant(base, table.base), constant(gain, table.gain)]
        nodes += [node("Mul", [gain, "mean"], [grey]), node("Add", [base, grey], [bare])]
        if table.sized:
            nodes.append(node("Mul", [bare, "sizes"], [sized]))
        nodes.append(node("Cast", [sized if table.sized else bare], [output], to=TYPES[table.dtype]))
        ports += field(12, tensor(output, table.base.shape, TYPES[table.dtype]))
    graph = b"".join(field(1, each) for each in nodes) + field(2, b"g")
    graph += b"".join(field(5, each) for each in constants) + inputs + ports
    entries = (field(14, field(1, key.encode()) + field(2, text.encode())) for key, text in metadata.items())
    opset = field(8, field(1, b"") + field(2, 17))
    path.write_bytes(field(1, 8) + field(7, graph) + opset + b"".join(entries))
    return path


def node(operation: str, inputs, outputs, **attributes: int) -> bytes:
    """NodeProto with attributes that are integers."""
    parts = b"".join(field(1, name.encode()) for name in inputs)
    parts += b"".join(field(2, name.encode()) for name in outputs)
    parts += field(3, outputs[0].encode()) + field(4, operation.encode())
    for key, value in attributes.items():
        parts += field(5, field(1, key.encode()) + field(3, value) + field(20, 2))
    return parts


def constant(name: str, values: np.ndarray) -> bytes:
    """TensorProto of float32."""
    dims = b"".join(field(1, side) for side in values.shape)
    return (
        dims + field(2, 1) + field(8, name.encode()) + field(9, np.ascontiguousarray(values, "<f4").tobytes())
    )
