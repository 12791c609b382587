"""The unique count frame by frame: a fold over the tracks of one group, with bounded memory.

The rule is that of `sightline.vision.counting`; folding every frame gives the same count, and the same votes, as
counting the finished job, however the frames were cut into batches.

A track that was not seen for more than `forget_frames` frames and `forget_us` microseconds cannot come back: it is
closed, its vote added to the totals by class, and forgotten.

Saved form, version 1, little endian, no padding. Equal tallies give equal bytes.

| part | type | what |
|---|---|---|
| magic | 4 bytes | `SLCT` |
| version | u2 | 1 |
| reserved | u2 | 0 |
| min_hits, forget_frames | u4 x 2 | the rule |
| forget_us | i8 | the rule |
| frames | i8 | frames added |
| unique | i8 | objects counted so far |
| raw_ids | i8 | ids seen so far |
| live | u4 | number of live tracks, N |
| votes | u4 | number of (track, class) pairs of live tracks, V |
| classes | u4 | number of classes with closed tracks, C |
| track_id | i8 x N | rising |
| hits | i8 x N | |
| last_frame | i8 x N | frames added before the last hit |
| last_pts_us | i8 x N | time of the last hit |
| vote_track | i8 x V | track id; rising by track, then class |
| vote_class | i8 x V | |
| vote_count | i8 x V | |
| vote_confidence | f8 x V | sum |
| closed_class | i8 x C | rising |
| closed_count | i8 x C | closed tracks that counted |
| crc | u4 | CRC-32 of everything before |
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.errors import Corrupt, Misconfigured
from sightline.types import Origin, Tracks

__all__ = ["CountRule", "Tally", "elected"]


MAGIC, VERSION = b"SLCT", 1
HEADER = struct.Struct("<4sHHIIqqqqIII")
LIVE, VOTES, CLOSED = 4, 4, 2  # columns of 8 bytes each
CONFIDENCE_STEPS = 10_000  # to one

T = TypeVar("T", np.int64, np.float64)

NO_ROWS: IntArray = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class CountRule:
    """When a track counts, and when it may be forgotten.

    Attributes:
        min_hits: frames that a track must be matched in; see `counting.hits_limit`.
        forget_frames, forget_us: a track is closed when it was unseen for more than both. Above what the tracker
            keeps a lost track for: a track that comes back after it was closed counts again.
    """

    min_hits: int
    forget_frames: int = 60
    forget_us: int = 2_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.min_hits < 2**32:
            raise Misconfigured(f"min_hits is {self.min_hits}: needs 1 or more")
        if not (1 <= self.forget_frames < 2**32 and 0 <= self.forget_us < 2**63):
            raise Misconfigured(
                f"forget_frames {self.forget_frames}, forget_us {self.forget_us}: need 1 and 0 or more"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The count so far; a value, to be passed on and never changed.

    Attributes:
        rule: how it counts.
        frames: frames added.
        unique: objects counted so far.
        raw_ids: ids seen so far, also those of tracks too short to count.
        live: int64 (4, N), rising by track: id, hits, frame and time of the last hit.
        votes: int64 (3, V), rising by track, then class: track id, class, number.
        confidence: float64 (V,), sum of each vote's confidences.
        closed: int64 (2, C), rising: class, closed tracks that counted.
    """

    rule: CountRule
    frames: int
    unique: int
    raw_ids: int
    live: IntArray
    votes: IntArray
    confidence: FloatArray
    closed: IntArray

    @classmethod
    def initial(cls, rule: CountRule) -> Tally:
        """Nothing counted."""
        return cls(
            rule, 0, 0, 0, NO_ROWS.reshape(4, 0), NO_ROWS.reshape(3, 0), np.empty(0), NO_ROWS.reshape(2, 0)
        )

    def add(self, tracks: Tracks, seq: int, pts_us: int) -> Tally:
        """The count after one more sampled frame; frames without tracks are added too.

        A frame that failed or was skipped is not added: it is no evidence that a track has gone.

        Args:
            tracks: of this frame; rows that the tracker did not match are left out.
            seq: of this frame, for errors.
            pts_us: its time, rising.

        Raises:
            ValueError: a track has two rows.
        """
        hit = tracks.origin <= Origin.LOW
        ids = tracks.track_id[hit]
        order = ids.argsort(kind="stable")
        ids = ids[order]
        if len(ids) > 1 and (ids[1:] == ids[:-1]).any():
            raise ValueError(f"seq {seq}: a track has two rows")
        slot, new = _find(self.live[0], ids)
        live, at = _widened(self.live, slot, new)
        live[0, at] = ids
        live[1, at] += 1
        live[2, at] = self.frames
        live[3, at] = pts_us
        unique = self.unique + int(np.count_nonzero(live[1, at] == self.rule.min_hits))
        votes, confidence = self._voted(ids, tracks.class_id[hit][order], tracks.confidence[hit][order])
        raw_ids = self.raw_ids + int(np.count_nonzero(new))
        tally = Tally(self.rule, self.frames + 1, unique, raw_ids, live, votes, confidence, self.closed)
        gone = (self.frames - live[2] > self.rule.forget_frames) & (pts_us - live[3] > self.rule.forget_us)
        return tally._without(gone) if gone.any() else tally

    def by_class(self) -> dict[int, int]:
        """Objects counted so far by class, rising; a live track by the votes so far."""
        counted = self.live[1] >= self.rule.min_hits
        classes, objects = _total(self.closed, self._winners(counted))
        return dict(zip(classes.tolist(), objects.tolist(), strict=True))

    def encode(self) -> bytes:
        """Bytes of the tally, in the form that the module describes."""
        rule, sizes = self.rule, (self.live.shape[1], self.votes.shape[1], self.closed.shape[1])
        numbers = (rule.min_hits, rule.forget_frames, rule.forget_us, self.frames, self.unique, self.raw_ids)
        columns = (self.live, self.votes, self.confidence, self.closed)
        body = HEADER.pack(MAGIC, VERSION, 0, *numbers, *sizes) + b"".join(
            each.astype(each.dtype.newbyteorder("<"), copy=False).tobytes() for each in columns
        )
        return body + struct.pack("<I", zlib.crc32(body))

    @classmethod
    def decode(cls, rule: CountRule, blob: bytes) -> Tally:
        """The tally that `encode` gave.

        Raises:
            Corrupt: not a tally, cut short, changed, or of a newer version.
            Misconfigured: written under another rule.
        """
        frames, unique, raw_ids, live, votes, classes = _header(rule, blob)
        end, parts = HEADER.size, []
        for dtype, rows, columns in (
            ("<i8", 4, live),
            ("<i8", 3, votes),
            ("<f8", 1, votes),
            ("<i8", 2, classes),
        ):
            part = np.frombuffer(blob, dtype, rows * columns, end)
            end += part.nbytes
            parts.append(part.astype(part.dtype.newbyteorder("=")).reshape(rows, columns))
        return cls(rule, frames, unique, raw_ids, parts[0], parts[1], parts[2][0], parts[3])

    def _voted(self, ids: IntArray, classes: IntArray, confidence: FloatArray) -> tuple[IntArray, FloatArray]:
        """Votes with one more for each (track, class)."""
        if not len(ids):
            return self.votes, self.confidence
        track, label, _ = self.votes
        span = 1 + max(int(label.max(initial=0)), int(classes.max()))
        slot, new = _find(track * span + label, ids * span + classes)
        votes, at = _widened(self.votes, slot, new)
        votes[0, at], votes[1, at] = ids, classes
        votes[2, at] += 1
        sums, at = _widened(self.confidence[None], slot, new)
        sums[0, at] += confidence
        return votes, sums[0]

    def _winners(self, tracks: BoolArray) -> IntArray:
        """Class of each of the live tracks that are chosen, by vote."""
        if not tracks.any():
            return NO_ROWS
        track, label, count = self.votes
        chosen = elected(track, label, count, self.confidence)  # one for each live track, rising
        winners: IntArray = label[chosen][tracks]
        return winners

    def _without(self, gone: BoolArray) -> Tally:
        counted = gone & (self.live[1] >= self.rule.min_hits)
        live = self.live[:, ~gone]
        kept = np.isin(self.votes[0], live[0])
        closed = np.stack(_total(self.closed, self._winners(counted)))
        return Tally(
            self.rule,
            self.frames,
            self.unique,
            self.raw_ids,
            live,
            self.votes[:, kept],
            self.confidence[kept],
            closed,
        )


def elected(voter: IntArray, candidate: IntArray, votes: IntArray, confidence: FloatArray) -> IntArray:
    """The one class of each track.

    The highest sum of confidences wins; equal sums go to more votes, then to the lower class index. Sums are compared in
    steps of 1e-4, to which our own detectors round, so that 0.1 + 0.2 is 0.3.

    Args:
        voter, candidate, votes: int64 (V,): track, class, number of hits.
        confidence: float64 (V,), sum over those hits, added in the order of frames.

    Returns:
        Int64 (N,): place of each track's winner among the V, tracks rising.
    """
    ranked = np.lexsort((-candidate, votes, np.rint(confidence * CONFIDENCE_STEPS), voter))
    winners: IntArray = ranked[np.diff(voter[ranked], append=-1) != 0]  # the last row of each track
    return winners


def _find(have: IntArray, keys: IntArray) -> tuple[IntArray, BoolArray]:
    """Where each key is, or belongs, among those that there are, both rising; and which keys are new."""
    slot = have.searchsorted(keys)
    new = np.ones(len(keys), bool)
    inside = slot < len(have)
    new[inside] = have[slot[inside]] != keys[inside]
    return slot, new


def _widened(columns: NDArray[T], slot: IntArray, new: BoolArray) -> tuple[NDArray[T], IntArray]:
    """A copy with a column of zeros before the slot of each new key, and the columns that all keys then have."""
    if not new.any():
        return columns.copy(), slot
    return np.insert(columns, slot[new], 0, axis=1), slot + (new.cumsum() - new)


def _total(closed: IntArray, winners: IntArray) -> tuple[IntArray, IntArray]:
    """Classes, rising, and their objects: those closed and one for each winner."""
    classes, place = np.unique(np.concatenate((closed[0], winners)), return_inverse=True)
    objects = np.bincount(place, np.concatenate((closed[1], np.ones(len(winners)))), len(classes))
    return classes, objects.astype(np.int64)


def _header(rule: CountRule, blob: bytes) -> tuple[int, int, int, int, int, int]:
    """Frames, unique, raw ids and numbers of columns of a blob that is whole and follows the rule."""
    if len(blob) < HEADER.size + 4 or blob[:4] != MAGIC:
        raise Corrupt(f"tally: {len(blob)} bytes that begin {blob[:4]!r}, expected {MAGIC!r}; start again")
    _, version, _, min_hits, forget_frames, forget_us, frames, unique, raw_ids, live, votes, classes = (
        HEADER.unpack_from(blob)
    )
    if version != VERSION:
        raise Misconfigured(
            f"tally: format version {version}, this release reads {VERSION}; use the release that wrote it",
            code="state_version",
        )
    expected = HEADER.size + 8 * (LIVE * live + VOTES * votes + CLOSED * classes) + 4
    if len(blob) != expected:
        raise Corrupt(f"tally: {len(blob)} bytes, expected {expected} for {live} tracks; start again")
    if zlib.crc32(blob[:-4]) != int.from_bytes(blob[-4:], "little"):
        raise Corrupt(f"tally: checksum differs in {len(blob)} bytes; start again")
    written = CountRule(min_hits, forget_frames, forget_us)
    if written != rule:
        raise Misconfigured(f"tally: written under {written}, now {rule}; start a new job")
    return frames, unique, raw_ids, live, votes, classes
