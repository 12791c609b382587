"""What travels on the log: one record per sampled frame and stream, and one at the end of each stream.

`(job_id, stream, seq)` is the identity of a record; nothing else de-duplicates. A stream is named `kind:part`:
`frames:<branch>`, `detections:<group>`, `tracks:<group>`, `totals:<group>`. `Native` is the JSON form (UTF-8, `"v": 1`);
the dialects of older systems, `DialectA` and `DialectB`, are other `Codec`s of the same internal records, chosen by topic.
"""

from sightline.events.codec import Codec, Codecs, native, nobody
from sightline.events.dialect_a import DialectA
from sightline.events.dialect_b import DialectB
from sightline.events.native import Native, completed
from sightline.events.outbox_events import OutboxEvents
from sightline.events.records import (
    Contexts,
    Detected,
    End,
    JobContext,
    JobEvent,
    Kind,
    Record,
    Sampled,
    Timeline,
    Totals,
    Tracked,
    part_of,
    stream_name,
)
from sightline.events.wire import INLINE_BYTES, MAX_BYTES

__all__ = [
    "INLINE_BYTES",
    "MAX_BYTES",
    "Codec",
    "Codecs",
    "Contexts",
    "Detected",
    "DialectA",
    "DialectB",
    "End",
    "JobContext",
    "JobEvent",
    "Kind",
    "Native",
    "OutboxEvents",
    "Record",
    "Sampled",
    "Timeline",
    "Totals",
    "Tracked",
    "completed",
    "native",
    "nobody",
    "part_of",
    "stream_name",
]
