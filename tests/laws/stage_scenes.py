"""Records of one stream for the laws of stages: what detect and track may say, with empty and failed frames."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from sightline.events import Detected, End, Native, Record, Sampled, Totals, Tracked
from sightline.stages.stage import Output
from sightline.types import Detections, Outcome
from tests.laws.tracker_scenes import street

FRAME_US = 40_000
CODEC = Native()


def head(stream: str, seq: int, outcome: Outcome = "ok", reason: str = "") -> tuple:
    """What every record of a frame begins with; every second frame of the source is sampled."""
    return "j1", stream, seq, 2 * seq, seq * FRAME_US, outcome, reason


@st.composite
def detected(draw, frames: st.SearchStrategy[int] | None = None) -> list[Record]:
    """Detections of one group: a street in which some frames are empty or failed, and its end."""
    n = draw(st.integers(1, 40) if frames is None else frames)
    found = street(draw(st.integers(0, 10_000)), draw(st.integers(0, 8)), n)
    empty = draw(st.sets(st.integers(0, n - 1), max_size=4))
    failed = draw(st.sets(st.integers(0, n - 1), max_size=4))
    records: list[Record] = []
    for seq, boxes in enumerate(found):
        if seq in failed:
            records.append(Detected(*head("detections:cars", seq, "failed", "undecodable")))
            continue
        kept = Detections.empty() if seq in empty else boxes
        records.append(Detected(*head("detections:cars", seq), detections=kept))
    return [*records, End("j1", "detections:cars", n)]


def played(stage, records: Sequence[Record], cuts: Sequence[int] = (), *, saved: bool = False) -> Output:
    """Fold records in batches that end at `cuts`; with `saved` the state is saved and loaded at each cut."""
    state, answers, blobs = stage.initial(), [], []
    for first, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        out = stage.process(records[first:end], state)
        state = stage.decode(stage.encode(out.state)) if saved else out.state
        answers += out.records
        blobs += out.blobs
    return Output(state, tuple(answers), tuple(blobs))


def told(stage, out: Output) -> tuple:
    """All that a stage gave, as bytes."""
    return stage.encode(out.state), [CODEC.encode(record) for record in out.records], out.blobs


def identity(record: Sampled | Detected | Tracked | Totals | End) -> tuple:
    """Which frame a record speaks of, and how it came out."""
    if isinstance(record, End):
        return record.job_id, record.seq, "eof"
    return record.job_id, record.seq, record.frame, record.pts_us, record.outcome, record.reason
