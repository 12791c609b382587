"""Small worlds for the laws: a stage that shows every mistake in order, and jobs that use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.events import End, Native, Record, Totals
from sightline.ports import Job, Outgoing
from sightline.stages.stage import Blob, Output
from sightline.testing import begun_job, scripted_recipe

CODEC = Native()


@dataclass(frozen=True)
class Chain:
    """Folds every record into one number, so that a lost, doubled or swapped one changes all that follows."""

    release: int = 1
    name: ClassVar[str] = "stats"
    completes: ClassVar[bool] = True

    def initial(self) -> int:
        return 1

    def process(self, batch: Sequence[Record], state: int) -> Output[int]:
        records: list[Record] = []
        blobs: list[Blob] = []
        for record in batch:
            stream = record.stream.replace("totals", "tracks")
            if isinstance(record, End):
                records.append(End(record.job_id, stream, record.seq))
                continue
            assert isinstance(record, Totals)
            state = (state * 31 + record.unique) % 1_000_003
            records.append(
                Totals(record.job_id, "totals:out", record.seq, record.frame, record.pts_us, "ok", "", state)
            )
        frames = [record.seq for record in batch if isinstance(record, Totals)]
        for at in range(0, len(frames), self.release) if self.release > 1 else ():
            blobs.append(
                Blob(f"{batch[0].job_id}/{frames[at]}", repr(frames[at : at + self.release]).encode())
            )
        return Output(state, tuple(records), tuple(blobs))

    def encode(self, state: int) -> bytes:
        return b"%d" % state

    def decode(self, blob: bytes) -> int:
        return int(blob)


def job(job_id: str = "j1", group: str = "in") -> Job:
    topics = {f"totals:{group}": "in", "totals:out": "out", f"tracks:{group}": "out"}
    return begun_job(scripted_recipe(job_id, topics=topics, streams=(f"totals:{group}",)))


def stream(n: int, job_id: str = "j1", group: str = "in") -> list[Record]:
    """n frames and their end."""
    frames: list[Record] = [
        Totals(job_id, f"totals:{group}", seq, seq, seq, "ok", "", seq * 7 % 11) for seq in range(n)
    ]
    return [*frames, End(job_id, f"totals:{group}", n)]


def addressed(records: Sequence[Record], topic: str = "in") -> list[Outgoing]:
    return [Outgoing(topic, 0, record.job_id, CODEC.encode(record)) for record in records]
