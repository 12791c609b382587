"""Boxes of an MP4 file, taken apart and put together again, so that a test can make one of them lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["box", "boxes", "edited", "nested"]

PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"}

Edit = Callable[[bytes], bytes]


def box(kind: bytes, body: bytes) -> bytes:
    """A box with its length."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of the boxes behind each other."""
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def edited(content: bytes, edits: dict[bytes, Edit]) -> bytes:
    """The same with the bodies of some kinds changed; lengths of what is around them follow."""
    made = b""
    for kind, body in boxes(content):
        if kind in edits:
            body = edits[kind](body)
        elif kind in PARENTS:
            body = edited(body, edits)
        made += box(kind, body)
    return made


def nested(kind: bytes, depth: int) -> bytes:
    """Empty boxes in each other."""
    sizes = (8 * (depth - level) for level in range(depth))
    return b"".join(size.to_bytes(4, "big") + kind for size in sizes)
