"""The wire format of Protocol Buffers, read field by field (https://protobuf.dev/programming-guides/encoding)."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["fields", "first", "message"]


def fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values of a message, in order.

    Raises:
        ValueError, IndexError: it is no message, or it ends in the middle.
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(content, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(content, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {kind}")
        if at + size > len(content):
            raise ValueError("it ends in the middle")
        yield number, content[at : at + size]
        at += size


def message(value: int | memoryview) -> memoryview:
    """A value that must be a message, a text or bytes."""
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def first(content: memoryview, wanted: int) -> memoryview:
    """The first field of a number, empty where there is none."""
    for number, value in fields(content):
        if number == wanted:
            return message(value)
    return memoryview(b"")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
