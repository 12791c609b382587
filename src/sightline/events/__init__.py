"""What travels on the log: one record per sampled frame and stream, and one at the end of each stream.

`(job_id, stream, seq)` is the identity of a record; nothing else de-duplicates. A stream is named `kind:part`:
`frames:<branch>`, `detections:<group>`, `tracks:<group>`, `totals:<group>`. `Native` is the JSON form (UTF-8, `"v": 1`);
the dialects of older systems are other `Codec`s of the same internal records, chosen by topic.
"""

from sightline.events.codec import Codec, Codecs, native
from sightline.events.native import MAX_BYTES, Native, completed
from sightline.events.records import (
    Contexts,
    Detected,
    End,
    JobContext,
    JobEvent,
    Kind,
    Record,
    Sampled,
    Totals,
    Tracked,
    part_of,
    stream_name,
)

__all__ = [
    "MAX_BYTES",
    "Codec",
    "Codecs",
    "Contexts",
    "Detected",
    "End",
    "JobContext",
    "JobEvent",
    "Kind",
    "Native",
    "Record",
    "Sampled",
    "Totals",
    "Tracked",
    "completed",
    "native",
    "part_of",
    "stream_name",
]
