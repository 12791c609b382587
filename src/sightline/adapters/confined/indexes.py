"""The index that a decoder child says its source has: what is checked of it beyond what any index must be.

A child that lies about times, frames or key frames in a way that a file could have said itself spoils the result of that
file, which its sender could do anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sightline.adapters.confined.messages import Lied
from sightline.formats import source_index
from sightline.formats.source_index import IndexData
from sightline.types import Caveat, SourceIndex

__all__ = ["checked", "cleaned", "most_bytes"]


def checked(data: IndexData, name: str, kind: str, names: Sequence[str], most: int) -> SourceIndex:
    """The index of a message that a hostile process may have made.

    Args:
        data: the message.
        name: of the source, for people.
        kind: of the source.
        names: of its images, in their order; none for a video.
        most: frames.

    Raises:
        Lied: no source has such an index.
    """
    if data.kind != kind or data.names != [*names]:
        raise Lied("an index whose kind and names cannot be")
    try:
        index = source_index.checked(data, name, most)
    except ValueError as error:
        raise Lied(str(error)) from error
    return replace(index, caveats=tuple(Caveat(each.code, cleaned(each.detail)) for each in index.caveats))


def most_bytes(frames: int) -> int:
    """How long an honest message with an index of `frames` frames can be."""
    return 64 * frames + (1 << 20)


def cleaned(text: str) -> str:
    """Text for people without characters that a terminal or a log obeys."""
    return "".join(each if each.isprintable() else "?" for each in text)
