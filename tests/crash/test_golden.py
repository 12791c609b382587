"""What a release left on disk, read by this one: every state format, the log and the ledger, and what must follow.

Made once by `python -m tests.crash.golden.make`; files of released versions are never made again.
"""

import json
import tarfile
from pathlib import Path
from random import Random

import apsw
import numpy as np
import pytest

from sightline.adapters.sqlite.store import SqliteStore
from sightline.events import Native
from sightline.jobs.topology import rule_of
from sightline.stages.collect import Collect
from sightline.stages.stats import Stats
from sightline.stages.track import Track
from sightline.types import Tracks
from sightline.vision.tally import Tally
from tests.crash.golden.make import FRAME_US, RULE, SCENE, segments_of
from tests.crash.jobs import TRACKER, files_below
from tests.crash.schedules import bench
from tests.crash.world import Life

GOLDEN = Path(__file__).parent / "golden"
STAGES = {
    "track": Track(TRACKER),
    "stats": Stats(rule_of(SCENE.videos[0].recipe())),
    "collect": Collect("a/"),
}


@pytest.fixture(params=sorted(GOLDEN.glob("partial-*.tar.xz")), ids=lambda path: path.name.split(".")[0])
def left(request, tmp_path):
    """A home with the `.partial` of a killed run, and the hashes of the segments that must follow."""
    partial = tmp_path / "run" / ".partial"
    with tarfile.open(request.param) as archive:
        for member in archive:
            path = partial / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
    return tmp_path, json.loads(request.param.with_suffix("").with_suffix(".json").read_bytes())


def test_a_run_that_an_earlier_release_began_is_ended_by_this_one(left):
    """State, position, log and segments are taken up; every segment is the one that the earlier release would write."""
    home, expected = left

    with bench() as place:
        Life(SCENE, home, Random(1), place.files).run()

    assert segments_of(files_below(home / "run")) == expected


def test_every_state_of_an_earlier_release_reads_and_writes_the_same(left):
    """One state of each stage and group; the feeder's is a mark that says whether the end was fed."""
    home, _ = left
    database = apsw.Connection(str(home / "run/.partial/store.sqlite"))
    rows = database.execute("SELECT stage, stream, state FROM states ORDER BY 1, 2").fetchall()
    database.close()

    assert {stage for stage, _, _ in rows} == {"feed", *STAGES}
    for stage, stream, state in rows:
        if stage == "feed":
            assert state in (b"", b"\x01")
        elif state:
            assert STAGES[stage].encode(STAGES[stage].decode(state)) == state, stream


def test_every_record_of_an_earlier_release_reads_and_writes_the_same(left):
    """Of each topic, as far as the log still keeps it."""
    home, _ = left
    store = SqliteStore(home / "run/.partial/store.sqlite")
    codec, read = Native(), 0

    for topic in sorted(set(SCENE.videos[0].recipe().route.topics.values())):
        for partition in range(8):
            kept, following = store.head(topic, partition)
            for entry in store.read(topic, partition, kept, following - kept):
                assert codec.encode(codec.decode(entry.value)) == entry.value
                read += 1

    store.close()
    assert read > 50


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("tally-*.bin")), ids=lambda path: path.stem)
def test_a_count_of_an_earlier_release_goes_on(path):
    """The totals of the frames that follow are those written down then."""
    count = Tally.decode(RULE, path.read_bytes())

    for frame in json.loads(path.with_suffix(".json").read_bytes()):
        rows = np.array(frame["tracks"], float).reshape(-1, 8)
        tracks = Tracks(
            rows[:, 1:5],
            rows[:, 5],
            rows[:, 6].astype(int),
            rows[:, 0].astype(int),
            rows[:, 7].astype(np.uint8),
        )
        count = count.add(tracks, frame["seq"], frame["seq"] * FRAME_US)
        assert (count.unique, count.raw_ids) == (frame["unique"], frame["raw_ids"])
