"""Records that nobody can read: of any kind, on any topic, at any place. The job always ends, and says what was lost."""

import json
from dataclasses import replace

import pytest

from sightline.errors import Corrupt
from sightline.events import Native
from sightline.formats import segments
from sightline.jobs.topology import JOB_TOPIC
from sightline.runtime import host
from sightline.testing import MemoryStore
from tests.hosting import run_job
from tests.laws.test_embedded_laws import work

FRAMES = 150
STREAMS = ["frames:main", "detections:cars", "detections:people", "tracks:people", "totals:cars"]
PLACES = {"first": 0, "middle": 70, "last": FRAMES - 1, "end": FRAMES}
CODEC = Native()


def broken(value: bytes) -> bytes:
    """Content that no reader takes, beside an identity that is whole."""
    return value[:-1] + b',"class_id":[null]}'


def nameless(value: bytes) -> bytes:
    """Its seq is lost too."""
    fields = json.loads(value)
    return json.dumps({name: fields[name] for name in fields if name != "seq"}).encode()


GONE = {
    "half": lambda value: value[: len(value) // 2],
    "nothing": lambda value: b"",
    "zeros": lambda value: bytes(len(value)),
    "nameless": nameless,
    "elsewhere": lambda value: (
        value.replace(b":cars", b":cats").replace(b":people", b":cats").replace(b":main", b":cats")
    ),
}


class Garbling(MemoryStore):
    """A store that spoils one record on its way in."""

    def __init__(self, stream: str, seq: int, spoil) -> None:
        super().__init__()
        self._at, self._spoil = (stream, seq), spoil

    def append(self, records) -> None:
        super().append([self._spoilt(record) for record in records])

    def _spoilt(self, record):
        if record.topic == JOB_TOPIC or record.topic.endswith(".dlq"):
            return record
        read = CODEC.decode(record.value)
        spoilt = (read.stream, read.seq) == self._at
        return replace(record, value=self._spoil(record.value)) if spoilt else record


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nobody waits in vain for long."""
    monkeypatch.setattr(host, "IDLE_S", 0.005)


def ended(store, workers=1):
    made = work(FRAMES, store=store, workers=workers)
    return run_job(made), made.objects.contents()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_record_that_names_its_frame_costs_that_frame_only(stream, place):
    """The job is ready; the frame is `failed(invalid)`, and an end is an end whatever else its record holds."""
    job, blobs = ended(Garbling(stream, PLACES[place], broken))

    result = json.loads(blobs["result.json"])
    assert job.state == "ready"
    frames = [segments.decode(blobs[key]).frames for key in sorted(blobs) if "published-cars" in key]
    outcomes = [pair for table in frames for pair in zip(table.outcome, table.reason, strict=True)]
    expected = [("ok", "")] * FRAMES
    if place != "end":
        expected[PLACES[place]] = ("failed", "invalid")
    assert outcomes == expected
    assert len(result) == FRAMES


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("stream", "kind"),
    [(stream, kind) for stream in STREAMS for kind in GONE if (stream, kind) != ("frames:main", "elsewhere")],
)
def test_a_record_that_names_no_frame_ends_the_job_and_is_named(stream, place, kind):
    """Which stage waits for which seq of which stream, and what could not be read, however many workers there are."""
    waiting = stream.replace("frames:main", "detections:cars")
    stage = {"detections": "track", "tracks": "stats", "totals": "collect"}[waiting.partition(":")[0]]

    with pytest.raises(Corrupt) as raised:
        ended(Garbling(stream, PLACES[place], GONE[kind]), workers=1 + len(kind) % 2)

    assert raised.value.code == "stalled"
    assert f"{stage} waits for seq {PLACES[place]} of {waiting}" in str(raised.value)
    if kind != "elsewhere":
        assert f"could not read a record of {stream.replace(':', '-')}" in str(raised.value)


@pytest.mark.parametrize("place", ["first", "middle", "end"])
@pytest.mark.parametrize("stream", STREAMS)
def test_a_record_of_a_newer_version_is_kept_and_stops_who_reads_it(stream, place):
    """A newer program may read it: it is no dead letter, nothing behind it is taken, and the stop says why."""
    topic = stream.replace(":", "-")
    store = Garbling(stream, PLACES[place], lambda value: value.replace(b'"v":1', b'"v":3'))

    with pytest.raises(Corrupt, match=f"could not read a record of {topic}: .*version 3") as raised:
        ended(store)

    assert raised.value.code == "stalled"
    assert store.get("j1").state == "processing"
    assert store.head(f"{topic}.dlq", 0) == (0, 0)
    values = [e.value for at in range(8) for e in store.read(topic, at, store.head(topic, at)[0], 999)]
    assert any(b'"v":3' in value for value in values)


def test_a_job_event_of_a_newer_version_is_kept_and_stops_the_feeder():
    """During an upgrade the newer feeder takes it."""

    class Newer(MemoryStore):
        def append(self, records) -> None:
            event = b'{"v":2,"job_id":"j1","priority":1}'
            super().append([replace(r, value=event) if r.topic == JOB_TOPIC else r for r in records])

    store = Newer()
    with pytest.raises(Corrupt, match=r"feed could not read a record of jobs: .*version 2"):
        ended(store)

    assert store.head(f"{JOB_TOPIC}.dlq", 0) == (0, 0)


@pytest.mark.parametrize("value", [b"", b"{", b'{"v":0,"job_id":"j1"}', b"null"])
def test_an_event_of_a_job_that_cannot_be_read_starts_it_all_the_same(value):
    """Its key names the job; the event lies in the dead letters."""

    class Garbled(MemoryStore):
        def append(self, records) -> None:
            super().append([replace(r, value=value) if r.topic == JOB_TOPIC else r for r in records])

    store = Garbled()
    job, _ = ended(store)

    assert job.state == "ready"
    assert [letter.value for letter in store.read(f"{JOB_TOPIC}.dlq", 0, 0, 10)] == [value]


def test_an_event_that_names_no_job_is_named_as_what_stands_in_the_way():
    """Nothing was fed, and nobody but the feeder waits."""

    class Lost(MemoryStore):
        def append(self, records) -> None:
            super().append([replace(r, value=b"", key="?") if r.topic == JOB_TOPIC else r for r in records])

    with pytest.raises(
        Corrupt, match=r"feed waits for the event of the job.*feed could not read a record of jobs"
    ):
        ended(Lost())
