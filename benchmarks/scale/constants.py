"""What the plan of docs/scale.md is made of: bytes, objects, rows and processor time of one frame, measured here.

    python -m benchmarks.scale.constants [--only bytes,cpu,sqlite,postgres] [--end 20]

`bytes`     the bundled 720p clip by the bundled model, as `track` does it, in memory: what goes to the log, to the ledger and to
            the objects, by kind; exact on any machine at any load.
`cpu`       processor milliseconds of a frame: decoding, the network, and all other stages over scripted detections.
`sqlite`    commits a second of a stage with 20 kB of state and eight outputs.
`postgres`  the same, by one and by eight writers, and records a second of a relay's outbox; starts a server.

Writes benchmarks/scale/constants.json; parts that were not asked for stay. Each part says on what machine, at what load.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.decode import DEMO, cheapest, read
from benchmarks.durability import clip_work, run, scripted
from benchmarks.engines import frames, measure, rows_of, shared
from benchmarks.log import RECORD, STATE, Step, per_second
from benchmarks.log import commits as sqlite_commits
from tests.servers import services

from sightline import models
from sightline.adapters.engines.choice import output_shape
from sightline.adapters.video.reader import VideoReader
from sightline.formats import segments
from sightline.machine import cpu_name_and_flags
from sightline.ports import Commit, Job, Outgoing, Saved
from sightline.stages.collect import SEGMENT
from sightline.testing import MemoryObjects, MemoryStore
from sightline.types import ImageSpec

CONSTANTS = Path(__file__).with_name("constants.json")
WRITERS = 8
LARGE = 8 * 2**20  # bytes of a joined object


class Counted(MemoryStore):
    """A store in memory that adds up what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.records, self.bytes, self.commits = Counter[str](), Counter[str](), Counter[str]()
        self.states, self.outbox_records = dict[tuple[str, str], int](), 0

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`; outputs of commits come here too, as a relay would bring them."""
        for record in records:
            kind = record.topic.partition("-")[0]
            self.records[kind] += 1
            self.bytes[kind] += len(record.key) + len(record.value)
        super().append(records)

    def commit(self, commit: Commit) -> Any:
        """See `Ledger`."""
        stage = commit.at.stage
        self.commits[stage] += 1
        self.outbox_records += len(commit.outputs)
        if commit.saved is not None:
            key = stage, commit.stream
            self.states[key] = max(self.states.get(key, 0), len(commit.saved.state))
        return super().commit(commit)


def sizes(end_s: int) -> dict[str, Any]:
    """Of the bundled clip; numbers are of a frame where nothing else is said."""
    with clip_work(end_s) as (make, n):
        store, objects = Counted(), MemoryObjects()
        run(make(store, objects))
        boxes = sum(_rows(objects.contents(), "detections"))
    kept = objects.contents()
    parts = {key: blob for key, blob in kept.items() if key.endswith(".seg")}
    others = {key: len(blob) for key, blob in kept.items() if not key.endswith(".seg")}
    return {
        "frames": n,
        "boxes_a_frame": round(boxes / n, 3),
        "streams": len({key.rpartition("/")[0] for key in parts}),
        "records_a_frame": {kind: round(each / n, 4) for kind, each in sorted(store.records.items())},
        "record_bytes": {
            kind: round(store.bytes[kind] / each, 1) for kind, each in sorted(store.records.items())
        },
        "log_bytes_a_frame": round(sum(store.bytes.values()) / n, 1),
        "outbox_records_a_frame": round(store.outbox_records / n, 4),
        "commits_a_frame": {stage: round(each / n, 4) for stage, each in sorted(store.commits.items())},
        "states_a_job": len(store.states),
        "state_bytes": sum(store.states.values()),
        "segment_frames": SEGMENT,
        "segments_a_frame": round(len(parts) / n, 6),
        "segment_bytes_a_frame": round(sum(map(len, parts.values())) / n, 1),
        "joined_bytes_a_frame": round(sum(map(len, joined(parts))) / n, 1),
        "other_objects_a_job": len(others),
        "other_bytes_a_frame": round(sum(others.values()) / n, 1),
        "source_bytes_a_frame": round(
            DEMO.stat().st_size / len(VideoReader(DEMO, ImageSpec(0, 0)).index()), 1
        ),
    }


def _rows(kept: Mapping[str, bytes], kind: str) -> list[int]:
    found = (
        segments.decode(blob) for key, blob in kept.items() if f"{kind}-" in key and key.endswith(".seg")
    )
    return [len(each.rows) for each in found if each.rows is not None]


def joined(parts: Mapping[str, bytes]) -> list[bytes]:
    """The segments of each stream as one: what compaction, which the product does not do, would leave."""
    streams: dict[str, list[bytes]] = {}
    for key in sorted(parts):
        streams.setdefault(key.rpartition("/")[0], []).append(parts[key])
    return [
        segments.encode(segments.join([segments.decode(b) for b in each], name))
        for name, each in streams.items()
    ]


def cpu(rounds: int = 3) -> dict[str, Any]:
    """Processor milliseconds of a frame."""
    index = VideoReader(DEMO, ImageSpec(0, 0)).index()
    found: dict[str, Any] = {
        "decode_ms": round(cheapest(lambda: read(DEMO, ImageSpec(640, 384, "i420"), None, index)), 2)
    }
    nano = shared() / "models" / "yolox_nano_416.onnx"
    pictures = frames(Path("none"))
    for name in (models.BUNDLED, *([str(nano)] if nano.exists() else [])):
        model = models.resolve(name, probe=output_shape)
        rows = rows_of(model, model.picture(None, pictures[0].width, pictures[0].height))[:1]
        measure(rows, pictures, rounds)
        found.setdefault("detect_ms", {})[model.card.name] = round(rows[0].cpu_ms, 2)
    plane = []
    for _ in range(rounds):
        began = time.process_time()
        run(scripted(1500, MemoryStore(), MemoryObjects()))
        plane.append((time.process_time() - began) / 1500 * 1000)
    return {**found, "stages_ms": round(min(plane), 2)}


def sqlite(seconds: float = 1.0) -> dict[str, Any]:
    """Commits a second, `synchronous=NORMAL`."""
    return {
        f"commits_{threads}": round(per_second(sqlite_commits("NORMAL", threads), seconds, 3)[0])
        for threads in (1, WRITERS)
    }


def postgres(seconds: float = 3.0) -> dict[str, Any]:
    """Commits a second by one and by eight writers, and what a relay takes from the outbox and forgets."""
    from sightline.adapters.postgres.store import PostgresStore
    from sightline.adapters.postgres.versions import migrate

    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        url = services.start("postgres", folder)["url"]
        stores: list[Any] = []
        try:
            migrate(url, "scale")
            stores += [PostgresStore(url, "scale") for _ in range(WRITERS)]
            for n, store in enumerate(stores):
                store.create(Job(f"j{n}", "v", n, facts={"streams": ["s"]}), [])

            def writer(n: int) -> Step:
                at = stores[n].claim("track", "t", n)
                record = Outgoing("t", 0, f"j{n}", RECORD.value)

                def step() -> int:
                    nonlocal at
                    commit = Commit(
                        at, at.low_water + 8, f"j{n}", "s", Saved(at.low_water, STATE), (record,) * 8
                    )
                    at, _ = stores[n].commit(commit)
                    return 1

                return step

            def relayed() -> int:
                ids = [each.queue_id for each in stores[0].pending("relay", 200)]
                stores[0].sent(ids)
                return len(ids)

            def rate(make: Callable[[Path], list[Step]], for_s: float) -> int:
                return round(per_second(make, for_s, 1)[0])

            return {
                "commits_1": rate(lambda _: [writer(0)], seconds),
                f"commits_{WRITERS}": rate(lambda _: [writer(n) for n in range(WRITERS)], seconds),
                "outbox_records": rate(lambda _: [relayed], seconds / 3),
            }
        finally:
            for store in stores:
                store.close()
            services.stop("postgres", folder)


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="bytes,cpu,sqlite,postgres")
    parser.add_argument("--end", type=int, default=20, help="seconds of the clip")
    asked = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "bytes": lambda: sizes(asked.end),
        "cpu": cpu,
        "sqlite": sqlite,
        "postgres": postgres,
    }
    found = json.loads(CONSTANTS.read_text()) if CONSTANTS.exists() else {}
    for name in asked.only.split(","):
        load = os.getloadavg()[0]
        found[name] = parts[name]()
        found[name]["machine"] = f"{cpu_name_and_flags()[0]}, {os.cpu_count()} cores, load {load:.1f}"
        print(json.dumps({name: found[name]}, indent=1), flush=True)
        CONSTANTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
