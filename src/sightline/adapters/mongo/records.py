"""Records that wait to be sent, as a document holds them: `keys` and `left` by number, and all of them packed in `records`.

`left` are the numbers of those not yet sent. A document with records has `queued: true` and the `order` of its commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.adapters.mongo.server import Document
from sightline.ports import Outgoing, check_sizes

__all__ = ["UNQUEUED", "packed", "queued_fields", "unpacked"]

UNQUEUED = {"queued": "", "keys": "", "left": "", "records": "", "records_in": ""}
_Packed = list[tuple[str, int, str, bytes, tuple[tuple[str, str], ...]]]
_records = msgspec.msgpack.Decoder(_Packed)


def queued_fields(records: Sequence[Outgoing]) -> Document:
    """The fields of a document whose records wait, but for the records; none where there are none.

    Raises:
        TooLarge: a value has more than `MAX_BYTES`, which no log takes.
    """
    check_sizes(records)
    if not records:
        return {}
    return {"queued": True, "keys": [record.key for record in records], "left": [*range(len(records))]}


def packed(records: Sequence[Outgoing]) -> bytes:
    """Records as bytes."""
    fields: list[Any] = [(one.topic, one.partition, one.key, one.value, one.headers) for one in records]
    return msgspec.msgpack.encode(fields)


def unpacked(blob: bytes) -> list[Outgoing]:
    """Records of bytes.

    Raises:
        msgspec.DecodeError: the document is damaged.
    """
    return [Outgoing(*fields) for fields in _records.decode(blob)]
