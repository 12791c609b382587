"""Everything that outlives its program and has a version: what today's program writes, and how it reads.

    python -m tests.data.forms.make

Writes files of forms and versions that are not there yet. Files of released versions are never made again: the tests read them
for ever.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw
import bson
import msgspec
import numpy as np

from sightline.adapters.files import parquet
from sightline.adapters.mongo import documents
from sightline.adapters.sqlite.file import Database
from sightline.adapters.sqlite.versions import MIGRATIONS
from sightline.api import tokens
from sightline.api.partial import PARTIAL, Partial, partial_of
from sightline.camera import CameraPath
from sightline.counts import Line, Zone
from sightline.events import DialectA, JobEvent, Native, OutboxEvents
from sightline.formats import anchors, camera_bin, frames_bin, run_folder, segments, source_index, summary
from sightline.formats.evidence_json import Verdict
from sightline.jobs import audits, copies, edits, purge, recipe, requests, shared
from sightline.ports import Job, Outgoing, Stat
from sightline.runs.folders import Folder
from sightline.runs.roots import COMMAND, Command, begin_root
from sightline.serving.backups import copies as backups
from sightline.sources.named import Traits
from sightline.stages.publish import published_anchors
from sightline.testing import MemoryNotes, scripted_recipe
from sightline.types import Caveat
from sightline.vision import following
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import count_job
from sightline.vision.refine import RefineSettings
from tests.unit.events import test_native, test_system_a_records, test_system_b_records
from tests.unit.events.dialects import ABOUT, about
from tests.unit.formats.jobs import job
from tests.unit.formats.test_run_folder import INDEX, SHA, run_file, timing_file
from tests.unit.formats.test_segments import version_1_segment, version_2_segment

FOLDER = Path(__file__).parent
KEY = "0f" * 32
JOB_ID = "2b7c1d7e-5d0f-5a53-9d0e-000000000000"
US = 1_779_019_200_250_000
BACKUP = backups.Backup(
    made_at="2026-11-29T07:00:00.123456+00:00",
    sightline="0.1.0",
    store=backups.Blob("store.sqlite", 4096, "ab" * 32, 1_779_019_200_250_000_001),
    objects=[backups.Blob("videos/input/2b7c1d7e-5d0f-5a53-9d0e-000000000000.mp4", 12, "cd" * 32, 7)],
)


@dataclass(frozen=True)
class Form:
    """What is written today, and how it is read.

    Attributes:
        written: the bytes of today's writer.
        again: reads bytes and writes what was read; None where only others read them.
        newer: the same bytes as a newer program might write them; None where its reader knows no number.
    """

    written: Callable[[], bytes]
    again: Callable[[bytes], bytes] | None = None
    newer: Callable[[bytes], bytes] | None = None


def newer_json(blob: bytes) -> bytes:
    """A number that is one higher in each line or value."""
    return re.sub(rb'"v":( ?)(\d+)', lambda found: b'"v":%s%d' % (found[1], int(found[2]) + 1), blob)


def by_two(newer: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Of a form that has a newer number already."""
    return lambda blob: newer(newer(blob))


def newer_binary(blob: bytes) -> bytes:
    """The number behind a magic word of eight letters."""
    return blob[:8] + bytes([blob[8] + 1]) + blob[9:]


def pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


# --- records


def records(cases: Iterable[tuple[Any, Any]], newer: Callable[[bytes], bytes] = newer_json) -> Form:
    """A line for each record, of each stream and outcome."""
    kept = list(cases)

    def written() -> bytes:
        return b"".join(codec.encode(record, ABOUT) + b"\n" for codec, record in kept)

    def again(blob: bytes) -> bytes:
        lines = zip((codec for codec, _ in kept), blob.splitlines(), strict=True)
        return b"".join(codec.encode(codec.decode(line, about), ABOUT) + b"\n" for codec, line in lines)

    return Form(written, again, newer)


EVENTS = (
    (Native(), JobEvent(JOB_ID)),
    (OutboxEvents(), JobEvent(JOB_ID, "street", "detect", "videos", "input/7.mp4", "video", US)),
)


def job_events(blob: bytes) -> bytes:
    lines = zip(EVENTS, blob.splitlines(), strict=True)
    return b"".join(codec.encode(codec.decode_job(line)) + b"\n" for (codec, _), line in lines)


# --- values in rows and notes

RECIPE = scripted_recipe("j", 90, tracker=TrackerSettings(), refine=RefineSettings(link_s=1.5))
FOLLOWED = recipe.keyed(
    msgspec.structs.replace(
        RECIPE,
        settings=msgspec.structs.replace(RECIPE.settings, camera=recipe.Camera(motion="auto", version=1)),
    )
)
REQUEST = requests.Request(
    pipeline="traffic",
    source=requests.SourceRef(
        kind="video",
        name="street.mp4",
        key=requests.input_key("videos", JOB_ID),
        index_key=requests.index_key(JOB_ID),
        bytes=123,
        sha256=SHA,
    ),
    found=requests.Found(frames=3, width=640, height=480, duration_us=100_100, codec="h264"),
    replay=requests.Replay(stage="track", tracker={"track_buffer": 60}),
)
STORED = Job(
    JOB_ID,
    "street",
    US,
    parent_id="p",
    request=requests.encode(REQUEST),
    owner="anna",
    clock_start="2026-11-21",
)
EVENT = {"id": "ab" * 16, "kind": "line", "name": "north", "group": "cars", "track_id": 7, "frame": 5}
VERDICT = Verdict(said="rejected", event=EVENT, by="anna", at="2026-11-21T08:00:00Z")
DOOMED = purge.Doomed(at_us=US, prefix="p/", streams={"tracks:cars": 90}, keys=["p/index.bin"], owner="anna")
UPLOAD = Partial(length=9, offset=4, parts=1, owner="anna", metadata="filename c3RyZWV0", at_us=US)


def versioned_notes() -> bytes:
    """A copy, a verdict, a purge and an upload that goes on, each with a number of its own."""
    notes = MemoryNotes()
    copies.keep(notes, JOB_ID, Stat(123, SHA), "remux")
    audits.say(notes, JOB_ID, EVENT["id"], VERDICT)
    notes.put(purge.PURGE, JOB_ID, msgspec.to_builtins(DOOMED))
    notes.put(PARTIAL, JOB_ID, msgspec.to_builtins(UPLOAD))
    return listed(notes, (copies.COPY, audits.VERDICT, purge.PURGE, PARTIAL))


def plain_notes() -> bytes:
    """Lines and zones, a change of a job, a token, the users of an upload: told apart by their fields alone."""
    notes = MemoryNotes()
    line, zone = Line("north", (0.1, 0.5), (0.9, 0.5)), Zone("yard", ((0, 0), (1, 0), (1, 1)))
    audits.put_geometry(notes, JOB_ID, (line,), (zone,), 0)
    edits.edit(notes, JOB_ID, edits.Edits(name="north", clock_start="2026-11-21T08:00:00Z"))
    notes.put(tokens.TOKEN, "anna", {"scope": "write", "sha256": SHA, "created_us": US, "expires_us": None})
    shared.join(notes, JOB_ID, "other")
    return listed(notes, (audits.GEOMETRY, edits.EDITS, tokens.TOKEN, shared.SOURCE))


def listed(notes: MemoryNotes, kinds: Iterable[str]) -> bytes:
    return pretty({kind: {key: note.value for key, note in notes.list(kind)} for kind in kinds})


def held(blob: bytes) -> MemoryNotes:
    """Notes as they were written down."""
    notes = MemoryNotes()
    for kind, values in json.loads(blob).items():
        for key, value in values.items():
            notes.put(kind, key, value)
    return notes


def versioned_notes_again(blob: bytes) -> bytes:
    notes, other = held(blob), MemoryNotes()
    copy = copies.copy_of(notes, JOB_ID)
    assert copy is not None
    copies.keep(other, JOB_ID, Stat(copy.bytes, copy.sha256), copy.how)
    for event_id, verdict in audits.verdicts_of(notes, JOB_ID).items():
        audits.say(other, JOB_ID, event_id, verdict)
    other.put(purge.PURGE, JOB_ID, msgspec.to_builtins(purge.doomed_in(notes.get(purge.PURGE, JOB_ID))))
    other.put(PARTIAL, JOB_ID, msgspec.to_builtins(partial_of(notes.get(PARTIAL, JOB_ID).value, JOB_ID)))
    return listed(other, (copies.COPY, audits.VERDICT, purge.PURGE, PARTIAL))


def plain_notes_again(blob: bytes) -> bytes:
    notes, other = held(blob), MemoryNotes()
    drawn = audits.geometry_of(notes, JOB_ID)
    audits.put_geometry(other, JOB_ID, drawn.lines, drawn.zones, 0)
    job = edits.edited(notes, Job(JOB_ID, "street", 0))
    edits.edit(other, JOB_ID, edits.Edits(name=job.video_id, clock_start=job.clock_start))
    for token in tokens.listed(notes):
        value = {name: getattr(token, name) for name in ("scope", "sha256", "created_us", "expires_us")}
        other.put(tokens.TOKEN, token.name, value)
    for user in json.loads(blob)[shared.SOURCE][JOB_ID]["jobs"]:
        if user != JOB_ID:
            assert not shared.leave(notes, JOB_ID, JOB_ID, lambda _: True)
            shared.join(other, JOB_ID, user)
    return listed(other, (audits.GEOMETRY, edits.EDITS, tokens.TOKEN, shared.SOURCE))


QUEUED = (Outgoing("outbox_events", 0, JOB_ID, OutboxEvents().encode(EVENTS[1][1]), (("h", "v"),)),)


def mongo_again(blob: bytes) -> bytes:
    read = documents.job_of(bson.decode(blob))
    return bson.encode(documents.document_of(read, 3, 5, US, QUEUED))


# --- files

ROWS = {name: np.array(getattr(INDEX, name)) for name in ("frame", "tick", "pts_us", "key")}
SOURCE = replace(INDEX, failed={1: "decode"}, caveats=(Caveat("vfr", "the frame rate varies"),), **ROWS)


def json_file(name: str) -> bytes:
    return run_folder.encode({"run": run_file, "timing": timing_file}[name]())


def anchors_of_cars() -> bytes:
    result = job(min_hits=1)
    made = {path: b"".join(chunks) for path, chunks in published_anchors(result, count_job(result))}
    return made["segments/anchors-cars.bin"]


def camera() -> bytes:
    """It pans, turns and comes nearer; from the third frame on nobody knows where it looks."""
    return camera_bin.encode(
        CameraPath(
            np.array([(1, 0, 0, 0), (1.0625, -0.125, -7.5, 2.25), (1, 0, 0, 0), (1, 0, 0.5, 0)]),
            np.array([0, 0, 1, 1]),
        )
    )


def following_again(blob: bytes) -> bytes:
    state, rest = following.decode(blob)
    return following.encode(state) + rest


def summary_json() -> bytes:
    result = job(min_hits=1)
    ((_, chunks),) = summary.files(result, count_job(result))
    return b"".join(chunks)


def columns_of_parquet() -> bytes:
    """Names, types and metadata: the bytes around them are those of a library."""
    return (parquet.schema(job()).to_string(show_schema_metadata=True) + "\n").encode()


def begun() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Folder(Path(folder)).begin(KEY)
        return (Path(folder) / ".partial" / "begun.json").read_bytes()


def begun_again(blob: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".partial" / "begun.json"
        path.parent.mkdir()
        path.write_bytes(blob)
        return blob if Folder(Path(folder)).state(KEY, overwrite=False) == "unfinished" else b""


COMMAND_OF = Command("street", KEY, {"street": Traits(123, "ab" * 8)}, lambda name: "")


def command() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        begin_root(Path(folder), COMMAND_OF)
        return (Path(folder) / COMMAND).read_bytes()


def command_again(blob: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / COMMAND).write_bytes(blob)
        return blob if begin_root(Path(folder), COMMAND_OF) else b""


# --- tables


def tables(version: int) -> bytes:
    """The tables of the SQLite file as a program that knew so many versions made them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.sqlite")
        Database(path, MIGRATIONS[:version]).close()
        return dumped(path)


def dumped(path: Path) -> bytes:
    connection = apsw.Connection(str(path))
    numbers = [f"PRAGMA {name} = {connection.pragma(name)};" for name in ("application_id", "user_version")]
    # What SQLite made for itself has names that nobody may use.
    made = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table' DESC, name"
    lines = [*numbers, *(f"{sql};" for (sql,) in connection.execute(made))]
    connection.close()
    return ("\n".join(lines) + "\n").encode()


def tables_again(blob: bytes) -> bytes:
    """A file with these tables, opened; its tables then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.sqlite")
        connection = apsw.Connection(str(path))
        connection.execute(blob.decode())
        connection.close()
        Database(path, MIGRATIONS).close()
        return dumped(path)


def newer_tables(blob: bytes) -> bytes:
    return re.sub(rb"(user_version = )(\d+)", lambda found: b"%s%d" % (found[1], int(found[2]) + 1), blob)


FORMS: dict[str, Form] = {
    "records-v1.ndjson": records(
        ((Native(), record) for record, _ in test_native.RECORDS), by_two(newer_json)
    ),
    "records-v2.ndjson": records((Native(), record) for record, _ in test_native.OF_CAMERAS),
    "records-a-v1.ndjson": records(
        ((codec, record) for codec, record, _ in test_system_a_records.BYTES), by_two(newer_json)
    ),
    "records-a-v2.ndjson": records((DialectA(record.stream), record) for record, _ in test_native.OF_CAMERAS),
    "records-b-v1.ndjson": records((codec, record) for codec, record, _ in test_system_b_records.BYTES),
    "job-events-v1.ndjson": Form(
        lambda: b"".join(codec.encode(event) + b"\n" for codec, event in EVENTS), job_events, newer_json
    ),
    "recipe-v1.json": Form(
        lambda: pretty(recipe.encode(RECIPE)),
        lambda blob: pretty(recipe.encode(recipe.decode(json.loads(blob)))),
        by_two(newer_json),
    ),
    "recipe-v2.json": Form(
        lambda: pretty(recipe.encode(FOLLOWED)),
        lambda blob: pretty(recipe.encode(recipe.decode(json.loads(blob)))),
        newer_json,
    ),
    "request-v1.json": Form(
        lambda: pretty(requests.encode(REQUEST)),
        lambda blob: pretty(requests.encode(requests.decode(json.loads(blob)))),
        newer_json,
    ),
    "notes-v1.json": Form(versioned_notes, versioned_notes_again, newer_json),
    "notes-plain.json": Form(plain_notes, plain_notes_again),
    "mongo-job-v1.bson": Form(
        lambda: bson.encode(documents.document_of(STORED, 3, 5, US, QUEUED)), mongo_again
    ),
    "index-v1.bin": Form(
        lambda: source_index.encode(SOURCE),
        lambda blob: source_index.encode(source_index.decode(blob)),
        lambda blob: blob.replace(b"\xa1v\x01", b"\xa1v\x02", 1),
    ),
    "segment-v1.seg": Form(
        lambda: segments.encode(version_1_segment()),
        lambda blob: segments.encode(segments.decode(blob)),
        by_two(newer_binary),
    ),
    "segment-v2.seg": Form(
        lambda: segments.encode(version_2_segment()),
        lambda blob: segments.encode(segments.decode(blob)),
        newer_binary,
    ),
    "following-v1.bin": Form(
        lambda: following.encode(following.Following(63, b"a look")) + b"the tracker's",
        following_again,
        lambda blob: blob[:4] + bytes([blob[4] + 1]) + blob[5:],
    ),
    "anchors-v1.bin": Form(
        anchors_of_cars,
        lambda blob: b"".join(anchors.encode(anchors.decode(blob, "cars"))),
        newer_binary,
    ),
    "camera-v1.bin": Form(camera, lambda blob: camera_bin.encode(camera_bin.decode(blob)), newer_binary),
    "frames-v1.bin": Form(lambda: b"".join(frames_bin.encode(SOURCE, SOURCE.frame[::2]))),
    "run-v1.json": Form(
        lambda: json_file("run"), lambda blob: run_folder.encode(run_folder.decode_run(blob)), newer_json
    ),
    "timing-v1.json": Form(
        lambda: json_file("timing"),
        lambda blob: run_folder.encode(msgspec.json.decode(blob, type=run_folder.TimingFile)),
    ),
    "summary-v1.json": Form(summary_json),
    "begun-v2.json": Form(begun, begun_again),
    "command-v2.json": Form(command, command_again),
    "backup-v1.json": Form(
        lambda: backups.encode(BACKUP),
        lambda blob: backups.encode(backups.decode(blob, "backup-1.json")),
        lambda blob: blob.replace(b'"v":1', b'"v":2', 1),
    ),
    "parquet-v1.txt": Form(columns_of_parquet),
    "sqlite-v1.sql": Form(lambda: tables(1)),
    "sqlite-v2.sql": Form(lambda: tables(2), tables_again, newer_tables),
}


def main() -> None:
    for name, form in FORMS.items():
        if not (FOLDER / name).exists():
            (FOLDER / name).write_bytes(form.written())


if __name__ == "__main__":
    main()
