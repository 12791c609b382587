"""Headings and speeds: anchors in, the way of each counted object out.

Where an object stood (`vision.foot_paths`) is led to the ground of a camera that moves (`vision.ground`), by four known points to
metres (`vision.plane`), and second by second to knots (`vision.knots`). From knot to knot there is a *leg*; one that is not
longer than four times its standard error is a stand. The speed is the length of the other legs by their time, less what noise
across them adds; the heading is that in the picture from the first knot to the last.

The error is propagated to first order (JCGM 100:2008, *Guide to the expression of uncertainty in measurement*, 5.1):

- of boxes: how far places are off the lines that are fitted to them, in sizes of the object, with a prior for short tracks;
  errors that go on from frame to frame make a frame worth less (`vision.alike`).
- of the four points: each of their coordinates is off by a standard deviation of its own.
- of the camera's path, where it moves: a third of what it may hide (`camera.STILL`); and where it turns, that an object's foot
  is another part of it then.

How boxes go on behind the left, right or lower edge nobody can see, so these rows play no part; a row that lies on the line
between its neighbours was filled in and says next to nothing. An object that went less far than its own size stands: it has no
heading and no speed. There is no speed either of which the error is more than half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.counts import CountedGroup, Event, Unplaced
from sightline.speeds import JobSpeeds, Passage, Plane, Way
from sightline.vision.foot_paths import FootPaths, parts
from sightline.vision.ground import Ground
from sightline.vision.knots import Knots, Scale, knots_of

__all__ = ["speeds_of"]

MOVES = 4.0  # standard errors
SURE = 2.0  # standard errors: the error given
DOUBT = 0.5  # of the speed
FOOT = 0.3  # of the size: where an object's foot is in a picture that is turned
KMH = 3.6e6  # km/h that are a metre by a microsecond
WHAT = "headings and speeds"


def speeds_of(
    groups: Sequence[CountedGroup],
    pts_us: IntArray,
    size: tuple[int, int],
    labels: Sequence[str],
    plane: Plane | None = None,
    ground: Ground | None = None,
    events: Sequence[Event] = (),
    frame: int | None = None,
) -> JobSpeeds:
    """The ways of all counted objects of a job, and how they crossed lines.

    Args:
        groups: in the job's order.
        pts_us: int64 (F,), of the sampled frames.
        size: width and height of the picture.
        labels: by class id.
        plane: what tells metres; None: there are only headings.
        ground: of a camera that moves; None: it stands still.
        events: those at lines are looked at.
        frame: number in the source of the frame on whose picture headings are told, and the plane lies where it says none;
            None: the first sampled one.

    Raises:
        Misconfigured: that frame was not sampled.
    """
    on = frame if plane is None or plane.frame is None else plane.frame
    seq = (
        0
        if ground is None
        else ground.seq_at(on, "the plane was drawn on" if plane else "headings are asked for as seen in")
    )
    scale = Scale.of(plane, size, ground, seq)
    passages = {number: _Moment() for number, event in enumerate(events) if event.kind == "line"}
    ways: list[Way] = []
    for group in groups:
        found: dict[int, tuple[float | None, ...]] = {}
        at_lines = _at_lines(group, events, passages)
        anchors = group.anchors if ground is None else ground.seen_from(seq, group.anchors)
        for places in parts(anchors, group.counts.counted):
            legs = _Legs.of(knots_of(FootPaths.of(anchors, places), pts_us, scale), scale)
            found.update(_said(legs, scale))
            for track in np.intersect1d(places, list(at_lines)).tolist():
                for number in at_lines[track]:
                    time_us = float(pts_us[events[number].seq])
                    passages[number] = legs.moment(track, time_us, in_metres=scale.in_metres)
        ways += _ways(group, labels, found)
    lost = () if ground is None else (Unplaced((WHAT,), *each) for each in ground.hidden(seq))
    crossed = (_passage(events[number], moment) for number, moment in passages.items())
    return JobSpeeds(tuple(ways), tuple(crossed), tuple(lost))


@dataclass(frozen=True, slots=True)
class _Moment:
    """What is known of an object while it crosses a line; fields as those of `Passage`."""

    heading: float | None = None
    speed_kmh: float | None = None
    error_kmh: float | None = None


def _passage(event: Event, moment: _Moment) -> Passage:
    return Passage(
        event.name,
        event.direction,
        event.group,
        event.track_id,
        event.label,
        event.seq,
        moment.heading,
        moment.speed_kmh,
        moment.error_kmh,
    )


def _at_lines(
    group: CountedGroup, events: Sequence[Event], wanted: Mapping[int, _Moment]
) -> dict[int, list[int]]:
    """The wanted events of a group by the places of its tracks."""
    places = {track_id: place for place, track_id in enumerate(group.counts.track_id.tolist())}
    found: dict[int, list[int]] = {}
    for number in wanted:
        if events[number].group == group.name:
            found.setdefault(places[events[number].track_id], []).append(number)
    return found


def _ways(
    group: CountedGroup, labels: Sequence[str], found: Mapping[int, tuple[float | None, ...]]
) -> Iterator[Way]:
    counts = group.counts
    columns = counts.track_id, counts.class_id, counts.first_seq, counts.last_seq
    for place in np.flatnonzero(counts.counted).tolist():
        track_id, class_id, first, last = (int(column[place]) for column in columns)
        known = found.get(place, (None,) * 5)
        yield Way(group.name, track_id, labels[class_id], first, last, *known)


@dataclass(frozen=True, slots=True, eq=False)
class _Legs:
    """Ways from knot to knot.

    Attributes:
        knots: of all tracks.
        at: int64 (L,), where legs begin; they end at the next knot.
        unit: float64 (L, 2), their directions.
        length: float64 (L,), without what noise across them adds.
        time_us: float64 (L,).
        moves: bool (L,), whether they are more than noise.
        pulls: float64 (J, K, 2), what knots are off by where one of J things is off by its standard deviation.
    """

    knots: Knots
    at: IntArray
    unit: FloatArray
    length: FloatArray
    time_us: FloatArray
    moves: BoolArray
    pulls: FloatArray

    @classmethod
    def of(cls, knots: Knots, scale: Scale) -> _Legs:
        """Of all tracks."""
        at = np.flatnonzero(knots.track[1:] == knots.track[:-1])
        step = knots.place[at + 1] - knots.place[at]
        length = np.hypot(*step.T)
        unit = step / np.where(length > 0, length, 1)[:, None]
        cov = knots.cov[at] + knots.cov[at + 1]
        along = np.einsum("ni,nij,nj->n", unit, cov, unit)
        across = np.trace(cov, axis1=1, axis2=2) - along
        moves = length > MOVES * np.sqrt(along)
        length = np.where(moves, length - across / (2 * np.where(moves, length, 1)), 0)
        time_us = knots.time_us[at + 1] - knots.time_us[at]
        return cls(knots, at, unit, np.maximum(length, 0), time_us, moves, _pulls(knots, scale))

    def error(self, which: BoolArray, bins: IntArray, number: int) -> FloatArray:
        """Standard errors of sums of lengths, float64 (number,).

        Args:
            which: bool (L,), legs that count.
            bins: int64 (K,), the sum that each knot belongs to.
            number: of sums.
        """
        pull = np.zeros_like(self.knots.place)
        unit = self.unit[which]
        pull[self.at[which] + 1] += unit
        pull[self.at[which]] -= unit
        variance = np.bincount(bins, np.einsum("ni,nij,nj->n", pull, self.knots.cov, pull), number)
        for each in self.pulls:
            variance += np.bincount(bins, (pull * each).sum(axis=1), number) ** 2
        return np.sqrt(variance)

    def own_error(self, leg: int) -> float:
        """Standard error of the length of one leg."""
        begin, unit = self.at[leg], self.unit[leg]
        apart = (self.pulls[:, begin + 1] - self.pulls[:, begin]) @ unit
        own = unit @ (self.knots.cov[begin] + self.knots.cov[begin + 1]) @ unit
        return math.sqrt(float(own + apart @ apart))

    def moment(self, track: int, time_us: float, *, in_metres: bool) -> _Moment:
        """What is known of a track by the leg that it is on, or that is nearest."""
        first, end = np.searchsorted(self.knots.track[self.at], [track, track + 1]).tolist()
        begins = self.knots.time_us[self.at[first:end]]
        leg = first + max(int(np.searchsorted(begins, time_us, "right")) - 1, 0)
        if first == end or not self.moves[leg]:
            return _Moment()
        begin = int(self.at[leg])
        heading = _heading(self.knots.pixel[begin + 1] - self.knots.pixel[begin])
        if not in_metres:
            return _Moment(heading)
        length, time = float(self.length[leg]), float(self.time_us[leg])
        return _Moment(heading, *_speed(length, time, self.own_error(leg)))


def _pulls(knots: Knots, scale: Scale) -> FloatArray:
    """What all knots of a track are off by together, float64 (J, K, 2).

    By each coordinate of the plane's points, and where the camera turns by where its foot is.
    """
    pulls = [(more.to_metres(knots.pixel) - less.to_metres(knots.pixel)) / 2 for less, more in scale.near]
    if scale.turn is not None:
        foot = FOOT * knots.size * np.sqrt(np.abs(np.linalg.det(scale.exact.slope(knots.pixel))))
        for part in (foot * (np.cos(knots.turn) - 1), foot * np.sin(knots.turn)):
            nothing = np.zeros_like(part)
            pulls += [np.stack((part, nothing), axis=1), np.stack((nothing, part), axis=1)]
    return np.array(pulls).reshape(len(pulls), len(knots.track), 2)


def _said(legs: _Legs, scale: Scale) -> Iterator[tuple[int, tuple[float | None, ...]]]:
    """Place of each track, and its heading, straightness, metres, speed and error."""
    knots = legs.knots
    tracks, first, lengths = np.unique(knots.track, return_index=True, return_counts=True)
    last = first + lengths - 1
    bins = np.arange(len(tracks)).repeat(lengths)
    of_leg, moves = bins[legs.at], legs.moves
    length, time = (
        np.bincount(of_leg, np.where(moves, part, 0), len(tracks)) for part in (legs.length, legs.time_us)
    )
    error = legs.error(moves, bins, len(tracks))
    pixels = np.hypot(*(knots.pixel[legs.at + 1] - knots.pixel[legs.at]).T)
    least = np.maximum((knots.size[first] + knots.size[last]) / 2, MOVES * math.sqrt(2) * scale.path_px)
    far = np.bincount(of_leg, np.where(moves, pixels, 0), len(tracks)) >= least
    net, direct = (part[last] - part[first] for part in (knots.pixel, knots.place))
    leads = far & (np.hypot(*net.T) >= least)
    for at, place in enumerate(tracks.tolist()):
        if not far[at]:
            yield place, (None,) * 5
            continue
        way = float(length[at])
        heading = _heading(net[at]) if leads[at] else None
        straightness = min(math.hypot(*direct[at].tolist()) / way, 1.0)
        if not scale.in_metres:
            yield place, (heading, straightness, None, None, None)
            continue
        yield place, (heading, straightness, way, *_speed(way, float(time[at]), float(error[at])))


def _heading(step: FloatArray) -> float:
    """Degrees clockwise from up, 0 to 360."""
    x, y = step.tolist()
    return math.degrees(math.atan2(x, -y)) % 360 % 360


def _speed(metres: float, time_us: float, error: float) -> tuple[float, float] | tuple[None, None]:
    """Speed and error, km/h; none where the error is too large."""
    if SURE * error > DOUBT * metres:
        return None, None
    return KMH * metres / time_us, SURE * KMH * error / time_us
