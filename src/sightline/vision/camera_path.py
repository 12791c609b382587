"""Where the camera looked in each frame: motions from frame to frame, one after the other, and how their errors stay small.

Errors of motions add up, so now and then a frame is laid on one long before, an *anchor*, of which the place is known. What
is off is spread over the frames since the last time. So ground is found again behind a moment of which nobody knew, too,
and where the camera comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from sightline.camera import IDENTITY, STILL, CameraPath, Motion, is_still, numbers_of
from sightline.vision.camera_motion import motion_between
from sightline.vision.looks import Look

__all__ = ["CameraPath", "bounded", "path_of", "rested"]

COMMON = 0.5  # of the picture: with less in common an anchor is too far away
GRID = [(at + 0.5) / 8 for at in range(8)]  # of the picture's sides: points that may be in common
REST = 16  # frames for which a camera that rests has gone nowhere
TRIES = 2  # of the oldest anchors, and of the latest, for each look
STRAYED = 0.25  # of the width: what is farther from where it should be is something else
TREMOR = STILL / 2  # of the width a frame: quicker than any error of a camera that stands
SWAY = 3 * STILL  # of the width: errors of the frames between two looks may be as large


def path_of(motions: Iterable[Motion | None]) -> CameraPath:
    """The path whose steps are known.

    Args:
        motions: to each frame from the one before, in pixels of the source, None where it is not known; that of the first
            frame plays no part.
    """
    places: list[Motion] = []
    stretch: list[int] = []
    for seq, motion in enumerate(motions):
        if seq and motion is not None:
            places.append(places[-1].then(motion))
            stretch.append(stretch[-1])
        else:
            places.append(IDENTITY)
            stretch.append(stretch[-1] + 1 if seq else 0)
    return _path(places, stretch)


def rested(motions: Sequence[Motion | None], size: tuple[int, int]) -> list[Motion | None]:
    """The motions, and stillness in the place of each that is not known, where the camera rested before.

    At night, in fog, and where something large passes by, nothing is seen of the ground, and a camera on its mast stands
    there all the same: its lines go on counting. Where it was on its way nobody knows where it went.

    Args:
        motions: as for `path_of`.
        size: width and height of the source.
    """
    found: list[Motion | None] = []
    since = IDENTITY  # what it moved since it rested
    calm = REST  # frames for which it has not moved since
    for motion in motions:
        if motion is None and calm >= REST:
            found.append(IDENTITY)
            continue
        found.append(motion)
        since = IDENTITY if motion is None else since.then(motion)
        if motion is not None and is_still(since, *size):
            calm += 1
        else:
            since, calm = IDENTITY, 0
    return found


def bounded(
    motions: Sequence[Motion | None], looks: Mapping[int, Look], scale: float, size: tuple[int, int]
) -> CameraPath:
    """The path whose steps are known, held to what some frames show.

    A place that is less than 0.3 % of the picture's width from the last one is that one, so a camera that stands still does
    so exactly.

    Args:
        motions: as for `path_of`.
        looks: at some of the frames, by seq; the more, the smaller are errors in between.
        scale: pixels of the source that are one of a look.
        size: width and height of the source.
    """
    held = _Held(motions, scale, size)
    every = sorted(looks)
    for _, run in groupby(range(len(motions)), key=path_of(motions).stretch.tolist().__getitem__):
        seqs = list(run)
        here = every[np.searchsorted(every, seqs[0]) : np.searchsorted(every, seqs[-1] + 1)]
        held.run(seqs[0], seqs[-1] + 1, [(seq, looks[seq]) for seq in here])
    return _path(list(held.calm()), held.stretch)


def _path(places: Sequence[Motion], stretch: Sequence[int]) -> CameraPath:
    maps = np.array([(place.a, place.b, place.x, place.y) for place in places], np.float64)
    return CameraPath(maps.reshape(-1, 4), np.array(stretch, np.int64))


class _Anchor(NamedTuple):
    """A frame that later ones are laid on."""

    seq: int
    look: Look


class _Held:
    """Places of frames so far: where the ground of its stretch is in each.

    Args:
        motions, scale, size: as for `bounded`.
    """

    def __init__(self, motions: Sequence[Motion | None], scale: float, size: tuple[int, int]) -> None:
        self.places: list[Motion] = []
        self.stretch: list[int] = []
        self._motions, self._scale, self._size = motions, scale, size
        self._anchors: list[_Anchor] = []
        self._last: dict[int, int] = {}  # frame of each stretch so far
        self._runs = 0

    def run(self, first: int, end: int, looks: Sequence[tuple[int, Look]]) -> None:
        """Go on with frames whose steps are known; nobody knows how the first one came about."""
        self.places.append(IDENTITY)
        self.stretch.append(self._runs)
        self._runs += 1
        matched, stands = first, True  # the last frame whose place is known; whether nothing moved up to it
        for seq, look in looks:
            self._follow(seq + 1)
            place = self._found(seq, look)
            if place is None:
                self._join(first, seq, look)
                self._anchors.append(_Anchor(seq, look))
            else:
                self._spread(matched, seq, place)
                stands = self._near(place, matched, STILL) and self._stayed(matched, seq)
                matched = seq
        self._follow(end)
        if stands:
            self._stayed(matched, end - 1)

    def calm(self) -> Iterator[Motion]:
        """The places, each the last one of its stretch where it is hardly another."""
        said: dict[int, Motion] = {}
        for place, stretch in zip(self.places, self.stretch, strict=True):
            last = said.get(stretch)
            if last is None or self._way(last, place) > STILL * self._size[0]:
                said[stretch] = last = place
            yield last

    def _follow(self, end: int) -> None:
        """Up to a frame, step by step."""
        for seq in range(len(self.places), end):
            motion = self._motions[seq]
            assert motion is not None  # runs end where it is
            self.places.append(self.places[-1].then(motion))
            self.stretch.append(self.stretch[-1])
        self._last[self.stretch[-1]] = len(self.stretch) - 1

    def _found(self, seq: int, look: Look) -> Motion | None:
        """The place of a frame by an anchor of its stretch."""
        return self._by_anchors(look, self.stretch[seq], self.places[seq])

    def _join(self, first: int, seq: int, look: Look) -> None:
        """Find ground of another stretch again; then this one, whose steps are known from `first` on, is a part of that."""
        mine = self.stretch[seq]
        latest = [self.stretch[anchor.seq] for anchor in reversed(self._anchors)]
        others = [stretch for stretch in dict.fromkeys((*latest, 0)) if stretch != mine]
        for stretch in dict.fromkeys((*others[:TRIES], *others[-1:])):
            # Where it would be if nothing had moved since that ground was last seen.
            stayed = self.places[self._last[stretch]].then(self._between(first, seq))
            found = self._by_anchors(look, stretch, stayed) or self._by_anchors(look, stretch, None)
            if found is not None:
                ground = found.then(self.places[seq].inverse())  # from that stretch to this one
                for at, number in enumerate(self.stretch):
                    if number == mine:
                        self.places[at], self.stretch[at] = ground.then(self.places[at]), stretch
                self._last[stretch] = seq
                return

    def _by_anchors(self, look: Look, stretch: int, place: Motion | None) -> Motion | None:
        """The place of a frame by the anchors of a stretch that have enough in common with it, the oldest one first.

        Args:
            look: of the frame.
            stretch: of the anchors.
            place: about where it is; None: nobody knows.
        """
        anchors = [anchor for anchor in self._anchors if self.stretch[anchor.seq] == stretch]
        near: list[tuple[_Anchor, Motion | None]] = [(anchor, None) for anchor in anchors]
        if place is not None:
            seen = self._in_view(anchors, place)
            ways = [(anchor, self.places[anchor.seq].inverse().then(place)) for anchor in seen]
            near = [(anchor, between) for anchor, between in ways if self._common(between) >= COMMON]
        tries = 1 if place is None else TRIES
        for anchor, between in near if len(near) <= 2 * tries else (*near[:tries], *near[-tries:]):
            expected = None if between is None else between.scaled(1 / self._scale)
            motion = motion_between(anchor.look, look, expected)
            if motion is not None:
                whole = motion.scaled(self._scale)
                if between is None or self._way(between, whole) <= STRAYED * self._size[0]:
                    return self.places[anchor.seq].then(whole)
        return None

    def _in_view(self, anchors: Sequence[_Anchor], place: Motion) -> list[_Anchor]:
        """Anchors whose middle is in view: of all others less than half is in common. An hour may have thousands."""
        if not anchors:
            return []
        maps = np.array([numbers_of(self.places[anchor.seq]) for anchor in anchors])
        path, (width, height) = CameraPath(maps, np.zeros(len(maps), np.int64)), self._size
        middle = np.full((len(maps), 2), (width / 2, height / 2))
        x, y = place.apply(path.to_ground(middle, np.arange(len(maps)))).T
        seen = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        return [anchors[at] for at in seen.nonzero()[0].tolist()]

    def _spread(self, first: int, last: int, place: Motion) -> None:
        """Set the place of the last of some frames; the others, behind the first, share in what that changes."""
        off = self.places[last].inverse().then(place)
        for seq in range(first + 1, last):
            part = (seq - first) / (last - first)
            share = Motion(1 + part * (off.a - 1), part * off.b, part * off.x, part * off.y)
            self.places[seq] = self.places[seq].then(share)
        self.places[last] = place

    def _stayed(self, first: int, last: int) -> bool:
        """Set the places of frames behind the first one to its own, if all may be there, but for errors; whether they may."""
        stayed = all(
            motion is not None
            and motion.farthest(*self._size) <= TREMOR * self._size[0]
            and self._near(self.places[seq], first, SWAY)
            for seq, motion in enumerate(self._motions[first + 1 : last + 1], start=first + 1)
        )
        if stayed:
            self.places[first + 1 : last + 1] = [self.places[first]] * (last - first)
        return stayed

    def _near(self, place: Motion, seq: int, limit: float) -> bool:
        return self._way(self.places[seq], place) <= limit * self._size[0]

    def _between(self, before: int, after: int) -> Motion:
        return self.places[before].inverse().then(self.places[after])

    def _way(self, one: Motion, other: Motion) -> float:
        """The longest way of a corner from one place to another, pixels."""
        return one.inverse().then(other).farthest(*self._size)

    def _common(self, between: Motion) -> float:
        """How much of a picture is in another one."""
        width, height = self._size
        inside = 0
        for x in (width * at for at in GRID):
            for y in (height * at for at in GRID):
                right, down = between.turned((x, y))
                inside += 0 <= right + between.x <= width and 0 <= down + between.y <= height
        return inside / len(GRID) ** 2
