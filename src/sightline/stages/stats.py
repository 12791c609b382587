"""Stats: tracked frames in, running totals out.

Reads   `tracks:<group>` of one job in `seq` order, empty frames included.
Writes  one `Totals` per input frame to `totals:<group>`; `publish` joins the groups by `seq`.
State   hits and class votes per live track (`vision.counting.Tally`).

An object counts once, in the frame in which its track has `min_hits` hits. Unconfirmed tracks spend ids too, so the
largest id is not the answer. A frame that failed is no evidence: its totals are those of the frame before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.events import End, Record, Totals, Tracked, part_of, stream_name
from sightline.stages.stage import Output
from sightline.vision.counting import CountRule, Tally

__all__ = ["Stats"]


@dataclass(frozen=True, slots=True)
class Stats:
    """Fold one group's tracks into unique objects."""

    rule: CountRule
    name: ClassVar[str] = "stats"
    release: ClassVar[int] = 1
    completes: ClassVar[bool] = False

    def initial(self) -> Tally:
        """Nothing counted."""
        return Tally.initial(self.rule)

    def process(self, batch: Sequence[Record], state: Tally) -> Output[Tally]:
        """See `Stage`."""
        records: list[Record] = []
        for record in batch:
            stream = stream_name("totals", part_of(record.stream)[1])
            if isinstance(record, End):
                records.append(End(record.job_id, stream, record.seq))
                continue
            assert isinstance(record, Tracked)
            if record.outcome == "ok":
                state = state.add(record.tracks, record.seq, record.pts_us)
            records.append(
                Totals(
                    job_id=record.job_id,
                    stream=stream,
                    seq=record.seq,
                    frame=record.frame,
                    pts_us=record.pts_us,
                    outcome=record.outcome,
                    reason=record.reason,
                    unique=state.unique,
                    raw_ids=state.raw_ids,
                )
            )
        return Output(state, tuple(records))

    def encode(self, state: Tally) -> bytes:
        """See `Stage`."""
        return state.encode()

    def decode(self, blob: bytes) -> Tally:
        """See `Stage`."""
        return Tally.decode(self.rule, blob)
