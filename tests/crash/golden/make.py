"""Make what a killed run of today leaves, and what must follow from it.

    python -m tests.crash.golden.make FOLDER

Writes `partial-v3.tar.xz`, the `.partial` of a run that was killed when every stage had a state, `partial-v3.json`, the
hashes of the segments that must follow, and `tally-v1.bin`, `.json`: a count and its totals after some more frames.
Files of released versions are never made again: the tests read them for ever.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from pathlib import Path
from random import Random
from typing import Any

import apsw

from sightline.testing import AtCall
from sightline.types import Tracks
from sightline.vision.bytetrack import initial, step
from sightline.vision.tally import CountRule, Tally
from tests.crash.jobs import TRACKER, Scene, Video, files_below, street
from tests.crash.schedules import Bench, bench
from tests.crash.world import Crash, Life

PARTIAL, TALLY = 3, 1  # versions of what a run leaves and of the tally
RULE = CountRule(3)
SCENE = Scene("golden", (Video("a", 240, failed=(3, 127)),))
FRAME_US = 40_000
BEFORE, AFTER = 60, 12
STAGES = {"feed", "track", "stats", "collect"}  # the feeder's is empty once all is fed


def end() -> None:
    raise Crash


def killed(place: Bench, home: Path) -> bool:
    """A run that is killed at some commit; whether every stage had a state then."""
    for n in range(60, 0, -1):
        folder = home / str(n)
        folder.mkdir()
        fault = AtCall("stats.commit", "after", n, end)
        try:
            Life(SCENE, folder, Random(3), place.files, fault=fault).run()
        except Crash:
            database = apsw.Connection(str(folder / "run/.partial/store.sqlite"))
            rows = database.execute("SELECT stage, length(state) FROM states").fetchall()
            if {stage for stage, size in rows if size or stage == "feed"} == STAGES:
                database.execute("VACUUM INTO ?", (str(folder / "store.sqlite"),))
                database.close()
                pack(folder)
                return True
            database.close()
    return False


def pack(folder: Path) -> None:
    """One archive of what was left; the database as a single compact file."""
    left = folder / "run/.partial"
    with tarfile.open(folder.parent / "partial.tar.xz", "w:xz", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(left.rglob("*")):
            if path.is_file() and not path.name.startswith("store.sqlite"):
                archive.add(path, path.relative_to(left).as_posix(), filter=nobodys)
        archive.add(folder / "store.sqlite", "store.sqlite", filter=nobodys)


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def segments_of(files: dict[str, bytes]) -> dict[str, str]:
    """sha256 of segments and anchors: text formats may change, these may not."""
    return {name: hashlib.sha256(blob).hexdigest() for name, blob in files.items() if "segments/" in name}


def tracked(seq: int, state: Any) -> tuple[Any, Tracks]:
    state, tracks, _ = step(TRACKER, state, street(seq), seq * FRAME_US, seq)
    return state, tracks


def tally(folder: Path) -> None:
    state, count, after = initial(TRACKER), Tally.initial(RULE), []
    for seq in range(BEFORE + AFTER):
        state, tracks = tracked(seq, state)
        count = count.add(tracks, seq, seq * FRAME_US)
        if seq == BEFORE - 1:
            (folder / f"tally-v{TALLY}.bin").write_bytes(count.encode())
        elif seq >= BEFORE:
            columns = (tracks.track_id, *tracks.xyxy.T, tracks.confidence, tracks.class_id, tracks.origin)
            rows = [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
            after.append({"seq": seq, "tracks": rows, "unique": count.unique, "raw_ids": count.raw_ids})
    lines = ",\n".join(json.dumps(frame, separators=(",", ":")) for frame in after)
    (folder / f"tally-v{TALLY}.json").write_text(f"[\n{lines}\n]\n")


def main(folder: Path) -> None:
    with bench() as place, place.place() as home:
        if not killed(place, home):
            raise SystemExit("no commit at which every stage had a state")
        (folder / f"partial-v{PARTIAL}.tar.xz").write_bytes((home / "partial.tar.xz").read_bytes())
        plain = home / "plain"
        plain.mkdir()
        Life(SCENE, plain, Random(0), place.files).run()
        hashes = segments_of(files_below(plain / "run"))
        (folder / f"partial-v{PARTIAL}.json").write_text(json.dumps(hashes, indent=1) + "\n")
    tally(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
