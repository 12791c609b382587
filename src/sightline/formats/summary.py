"""`summary.json`: what was counted, by which rule, and when it was in view.

`groups` has, for each group with a tracker, the objects counted (`unique`), the most in one frame (`peak`), the ids
that the tracker gave (`raw_ids`), and the first two by label. An object has one label, the vote of its whole track.
`per_second` has a row for each second and group: the most objects in one frame of that second (`visible`), and those
counted first in it (`entered`). Tracks too short to count are in none of these numbers but `raw_ids`.

`objects` has a row for each object counted: by what it is one (`why`), and what of it is doubtful. Where tracks are judged
by what they have shown, it also has those that were refused though they were seen as often as an object (`refused`: the
first reason against them; `rides` with the id of the two-wheeler that it is `on`), and `groups` says how many there are of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np

from sightline.arrays import BoolArray, IntArray
from sightline.counts import JobCounts, TrackCounts
from sightline.formats.count_bins import group_labels
from sightline.types import GroupResult, JobResult, TrackTable
from sightline.verdicts import Doubt, Reason

__all__ = ["VERSION", "files", "rule_text"]

VERSION = 1
SECOND_US = 1_000_000


def files(result: JobResult, counts: JobCounts) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`summary.json`."""
    yield "summary.json", (_encoded(result, counts),)


def rule_text(min_hits: int) -> str:
    """The counting rule in words.

    >>> rule_text(10)
    'an object counts once, in the 10th frame in which its track was matched; its label is the vote of those frames'
    """
    last, teen = min_hits % 10, min_hits % 100 in (11, 12, 13)
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
    return (
        f"an object counts once, in the {min_hits}{ending} frame in which its track was matched; "
        "its label is the vote of those frames"
    )


def _encoded(result: JobResult, counts: JobCounts) -> bytes:
    groups: dict[str, Any] = {}
    seconds, objects = [], []
    for place, (group, tracks) in enumerate(zip(result.groups, counts.groups, strict=True)):
        if group.tracks is None or tracks is None:
            continue
        voted = _voted(group.tracks, tracks)
        groups[group.name] = _group(result, group, tracks, voted)
        objects += [msgspec.json.encode(row) for row in _objects(result, group, tracks)]
        visible = _visible(result, group.tracks, voted >= 0)
        seconds += [(second, place, *row) for second, *row in _seconds(result, tracks, visible)]
    head = {
        "v": VERSION,
        "video_id": result.video_id,
        "rule": {"text": rule_text(result.min_hits), "min_hits": result.min_hits},
        "rate": f"{result.rate.numerator}/{result.rate.denominator}",
        "groups": groups,
    }
    rows = [
        msgspec.json.encode({"t": t, "group": result.groups[place].name, "visible": most, "entered": new})
        for t, place, most, new in sorted(seconds)
    ]
    text = msgspec.json.format(msgspec.json.encode(head), indent=2)
    return text.removesuffix(b"\n}") + _listed("objects", objects) + _listed("per_second", rows) + b"\n}\n"


def _listed(name: str, rows: list[bytes]) -> bytes:
    """A key whose rows stand in a line each: an hour of seconds, indented, would be five times as long."""
    listed = b"[\n    " + b",\n    ".join(rows) + b"\n  ]" if rows else b"[]"
    return b',\n  "' + name.encode() + b'": ' + listed


def _objects(result: JobResult, group: GroupResult, counts: TrackCounts) -> Iterator[dict[str, Any]]:
    """A row for each object of a group, then for each refused track that was seen as often as one."""
    why = _reasons(group)
    marks = counts.doubts
    for at in counts.counted.nonzero()[0].tolist():
        track_id = int(counts.track_id[at])
        yield {
            "id": track_id,
            "group": group.name,
            "label": result.labels[counts.class_id[at]],
            **_span(result, int(counts.first_seq[at]), int(counts.last_seq[at])),
            "why": why.get(track_id, Reason.BOXES.word),
            "doubts": [] if marks is None else Doubt(int(marks[at])).words,
        }
    for rider, ridden in sorted(group.riders.items()):
        yield {"id": rider, "group": group.name, "refused": "rides", "on": ridden, "doubts": []}
    verdicts = group.verdicts
    if verdicts is None:
        return
    for at in (~verdicts.objects & (verdicts.hits >= result.min_hits)).nonzero()[0].tolist():
        yield {
            "id": int(verdicts.track_id[at]),
            "group": group.name,
            **_span(result, int(verdicts.first_seq[at]), int(verdicts.last_seq[at])),
            "refused": Reason(int(verdicts.reason[at])).word,
            "doubts": Doubt.NEAR.words if verdicts.near[at] else [],
        }


def _span(result: JobResult, first_seq: int, last_seq: int) -> dict[str, float]:
    """When a track was in view, in seconds of the video."""
    first, last = result.frames.pts_us[first_seq], result.frames.pts_us[last_seq]
    return {"from": int(first) / SECOND_US, "to": int(last) / SECOND_US}


def _reasons(group: GroupResult) -> dict[int, str]:
    """By what each published track is an object: what its parts agree on, the surest first."""
    verdicts = group.verdicts
    if verdicts is None:
        return {}
    order = np.argsort(-verdicts.reason.astype(np.int64), kind="stable")
    order = order[verdicts.objects[order]]
    return {
        int(chain): Reason(int(reason)).word
        for chain, reason in zip(verdicts.chain[order], verdicts.reason[order], strict=True)
    }


def _voted(tracks: TrackTable, counts: TrackCounts) -> IntArray:
    """Voted class of each row of the table, -1 where its track does not count."""
    by_track = np.where(counts.counted, counts.class_id, -1)
    voted: IntArray = by_track[np.searchsorted(counts.track_id, tracks.track_id)] if len(counts) else by_track
    return voted


def _visible(result: JobResult, tracks: TrackTable, rows: BoolArray) -> IntArray:
    """How many of the rows there are in each frame, int64 (F,)."""
    return np.bincount(tracks.seq[rows], minlength=len(result.frames))


def _group(result: JobResult, group: GroupResult, counts: TrackCounts, voted: IntArray) -> dict[str, Any]:
    assert group.tracks is not None
    labels = group_labels(result, group, counts)
    # Classes of one label are one; the place behind the last class is that of no class, -1.
    place = np.array([labels.index(label) if label in labels else -1 for label in result.labels] + [-1])
    elected, shown = place[counts.class_id[counts.counted]], place[voted]
    classes = {
        label: {
            "unique": int(np.count_nonzero(elected == number)),
            "peak": _most(_visible(result, group.tracks, shown == number)),
        }
        for number, label in enumerate(labels)
    }
    return {
        "unique": int(np.count_nonzero(counts.counted)),
        "doubtful": 0 if counts.doubts is None else int(np.count_nonzero(counts.doubts)),
        "peak": _most(_visible(result, group.tracks, voted >= 0)),
        "raw_ids": len(counts) if group.raw_ids is None else group.raw_ids,
        "classes": classes,
        **_judged(group, moves=result.camera is not None),
    }


def _judged(group: GroupResult, *, moves: bool) -> dict[str, Any]:
    """How many tracks there are of each reason, and what a sure box scores; nothing where thresholds are fixed."""
    if group.verdicts is None or group.level is None:
        return {}
    number = np.bincount(group.verdicts.reason, minlength=len(Reason))
    kinds = {
        "why": [reason for reason in Reason if reason <= Reason.LINKED],
        "refused": [reason for reason in Reason if reason > Reason.LINKED],
    }
    parts = {name: {each.word: int(number[each]) for each in some} for name, some in kinds.items()}
    camera = "moves" if moves else "still" if group.verdicts.still else "unknown"
    return {"reference": round(group.level, 2), "camera": camera, **parts}


def _most(visible: IntArray) -> int:
    return int(visible.max(initial=0))


def _seconds(result: JobResult, counts: TrackCounts, visible: IntArray) -> Iterator[tuple[int, int, int]]:
    """(second, most visible, counted first) from the second of the first frame to that of the last."""
    if not len(result.frames):
        return
    second = result.frames.pts_us // SECOND_US
    first, total = int(second[0]), int(second[-1] - second[0]) + 1
    most = np.zeros(total, np.int64)
    np.maximum.at(most, second - first, visible)
    new = np.bincount(second[counts.counted_seq[counts.counted]] - first, minlength=total)
    yield from zip(range(first, first + total), most.tolist(), new.tolist(), strict=True)
