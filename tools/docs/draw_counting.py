"""Draws the pictures of docs/counting.md: `python tools/docs/draw_counting.py` from the repository's root.

What a picture says of a path ("in", "nothing") is not written here: the product's own counting is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.camera import CameraPath, Motion
from sightline.counts import Line, Zone
from sightline.types import FrameTable, GroupResult, JobResult, Origin, TrackTable
from sightline.verdicts import Reason
from sightline.vision.counting import count_job, count_tracks
from sightline.vision.evidence import judged
from sightline.vision.geometry import crossings

FOLDER = Path("docs/images")
SCALE = 3  # drawn larger and scaled down: smooth edges
INK, PALE, WHITE = "#1f2933", "#7b8794", "#ffffff"
BLUE, GREEN, ORANGE, RED = "#0b6bcb", "#1a7f4b", "#b85c00", "#b42318"
SHADE = "#e7f1fb"

Point = tuple[float, float]


class Canvas:
    """A picture in points; Pillow with smooth edges."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), WHITE)
        self.draw = ImageDraw.Draw(self.image)

    def line(self, points: Sequence[Point], colour: str, width: float = 2) -> None:
        self.draw.line([_large(p) for p in points], colour, round(width * SCALE), joint="curve")

    def dot(self, at: Point, colour: str, radius: float = 4, *, hollow: bool = False) -> None:
        (x, y), r = _large(at), radius * SCALE
        fill = WHITE if hollow else colour
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill, colour, round(1.5 * SCALE))

    def box(self, at: Point, size: Point, colour: str, *, hollow: bool = False) -> None:
        x, y = _large(at)
        w, h = _large(size)
        fill = WHITE if hollow else colour
        self.draw.rectangle((x, y, x + w, y + h), fill, colour, round(1.5 * SCALE))

    def area(self, points: Sequence[Point], colour: str) -> None:
        self.draw.polygon([_large(p) for p in points], colour)

    def band(self, a: Point, b: Point) -> None:
        """Where an object of the size of `walk` is not clear of a border."""
        self.line([a, b], "#f3c99b", 12)

    def text(self, at: Point, words: str, colour: str = INK, size: int = 14, anchor: str = "lm") -> None:
        font = ImageFont.load_default(size * SCALE)
        self.draw.text(_large(at), words, colour, font, anchor)

    def arrow(self, a: Point, b: Point, colour: str, width: float = 3) -> None:
        self.line([a, b], colour, width)
        angle = math.atan2(b[1] - a[1], b[0] - a[0])
        wings = [(b[0] - 12 * math.cos(angle + t), b[1] - 12 * math.sin(angle + t)) for t in (-0.45, 0.45)]
        self.area([b, *wings], colour)

    def save(self, name: str) -> None:
        size = self.image.width // SCALE, self.image.height // SCALE
        picture = self.image.resize(size, Image.Resampling.LANCZOS)
        FOLDER.mkdir(parents=True, exist_ok=True)
        picture.save(FOLDER / name, optimize=True)


def _large(point: Point) -> Point:
    return point[0] * SCALE, point[1] * SCALE


def walk(points: Sequence[Point]) -> TrackTable:
    """A track that stands on these points, a frame each, with a box of a size of 60."""
    x, y = np.array(points).T
    n = len(points)
    boxes = np.column_stack([x - 30, y - 60, x + 30, y])
    return TrackTable(np.arange(n), np.ones(n), np.zeros(n), boxes, np.ones(n), np.zeros(n))


def verdict(points: Sequence[Point], lines: Sequence[Line], zones: Sequence[Zone]) -> str:
    """What counting says of a path, in words."""
    n = len(points)
    frames = FrameTable(np.arange(n), np.arange(n) * 100_000, ("ok",) * n, ("",) * n)
    # In the middle of a large picture: its edges play no part here.
    lines = [Line(each.name, _away(each.a), _away(each.b), "px") for each in lines]
    zones = [Zone(each.name, tuple(map(_away, each.points)), "px") for each in zones]
    events = crossings(
        frames, walk([_away(p) for p in points]), lines, zones, 10_000, 10_000, {1: "car"}, "cars"
    )
    words = [event.direction or event.kind.removeprefix("zone_") for event in events]
    return ", ".join(words) or "nothing"


def _away(point: Point) -> Point:
    return point[0] + 5000, point[1] + 5000


def path(canvas: Canvas, points: Sequence[Point], title: str, at: Point, said: str) -> None:
    """A path with its frames, its title and what counting says of it."""
    colour = PALE if said == "nothing" else BLUE
    canvas.line(points, colour, 1.5)
    for k, point in enumerate(points):
        canvas.dot(point, colour, 4, hollow=k == 0)
    canvas.text(at, title, INK, 13, "ma")
    canvas.text((at[0], at[1] + 18), said, RED if said == "nothing" else GREEN, 15, "ma")


def draw_count() -> None:
    """Which frames of a track are hits, and when it enters the count."""
    rows = {
        "walks by": "BHHHHHHH....",
        "half hidden": "BHLL-LHH....",
        "gap, filled": "BHHfffffHH..",
        "a flicker": "...BHH......",
    }
    canvas, left, top, cell = Canvas(760, 270), 130, 50, 44
    canvas.text((left, 22), "frames  (10 a second: a track counts from its 3rd hit on)", INK, 14)
    for row, (name, letters) in enumerate(rows.items()):
        y = top + row * 44
        canvas.text((left - 12, y + 15), name, INK, 14, "rm")
        counted = _counted(letters)
        for k, letter in enumerate(letters):
            at = (left + k * cell, y)
            if letter in "HL":
                canvas.box(at, (34, 30), BLUE if letter == "H" else "#6ea8dc")
            elif letter in "Bf":
                canvas.box(at, (34, 30), PALE, hollow=True)
                canvas.text((at[0] + 17, y + 15), "birth" if letter == "B" else "filled", PALE, 10, "mm")
            if k == counted:
                canvas.box((at[0] - 3, y - 3), (40, 36), GREEN, hollow=True)
                canvas.box(at, (34, 30), BLUE if letter == "H" else "#6ea8dc")
                canvas.text((at[0] + 17, y + 15), "+1", WHITE, 14, "mm")
        canvas.text(
            (left + 12 * cell + 8, y + 15),
            "counts" if counted >= 0 else "does not",
            GREEN if counted >= 0 else RED,
            14,
        )
    legend = [("hit, high score", BLUE, False), ("hit, low score", "#6ea8dc", False), ("no hit", PALE, True)]
    for k, (words, colour, hollow) in enumerate(legend):
        canvas.box((left + k * 160, 240), (16, 14), colour, hollow=hollow)
        canvas.text((left + k * 160 + 24, 247), words, INK, 13)
    canvas.save("counting-unique.png")


def _counted(letters: str) -> int:
    """The frame in which a track of these rows enters the count at three hits, by the product."""
    origins = {"B": Origin.BIRTH, "H": Origin.HIGH, "L": Origin.LOW, "f": Origin.INTERPOLATED}
    seqs = [k for k, letter in enumerate(letters) if letter in origins]
    n, total = len(seqs), len(letters)
    tracks = TrackTable(
        seqs, np.ones(n), np.zeros(n), np.zeros((n, 4)), np.ones(n), [origins[letters[k]] for k in seqs]
    )
    frames = FrameTable(np.arange(total), np.arange(total) * 100_000, ("ok",) * total, ("",) * total)
    return int(count_tracks(frames, tracks, 3).counted_seq[0])


def draw_evidence() -> None:
    """Tracks beside two sure ones that show that the camera stands still, and what is decided about each."""
    canvas = Canvas(1000, 300)
    sure = 0.9
    cases: list[tuple[str, list[Point], list[float]]] = [
        ("confident boxes", [(0, 8 * k) for k in range(9)], [0.4, 0.5, 0.4, 0.6, 0.75, 0.7, 0.8, 0.7, 0.75]),
        (
            "travels",
            [(-40 + 11 * k, 20 + 3 * k) for k in range(9)],
            [0.4, 0.5, 0.45, 0.55, 0.5, 0.4, 0.5, 0.4, 0.5],
        ),
        (
            "stands",
            [(2 * (k % 2), 30 + k % 3) for k in range(9)],
            [0.5, 0.55, 0.5, 0.4, 0.55, 0.5, 0.45, 0.5, 0.4],
        ),
        (
            "wanders",
            [(30 * (-1) ** k, 8 * k) for k in range(9)],
            [0.5, 0.55, 0.5, 0.4, 0.55, 0.5, 0.45, 0.5, 0.4],
        ),
        (
            "faint",
            [(-40 + 11 * k, 20 + 3 * k) for k in range(9)],
            [0.3, 0.25, 0.3, 0.35, 0.3, 0.3, 0.25, 0.3, 0.3],
        ),
        ("two boxes", [(-20 + 30 * k, 30) for k in range(2)], [0.5, 0.5]),
    ]
    for place, (title, steps, scores) in enumerate(cases):
        x, y = 90 + place * 165, 50
        word = judgement(steps, scores, sure)
        colour = BLUE if word in ("boxes", "motion") else PALE
        points = [(x + dx, y + dy) for dx, dy in steps]
        canvas.line(points, colour, 1.5)
        for point, score in zip(points, scores, strict=True):
            canvas.dot(point, colour, 2 + 7 * score, hollow=score < 0.6)
        canvas.text((x, 170), title, INK, 13, "ma")
        said = word if word in ("boxes", "motion") else f"refused: {word}"
        canvas.text((x, 188), said, GREEN if colour == BLUE else RED, 15, "ma")
    words = "a dot is a box, ten a second, the larger the surer, full from 0.6 on; sure boxes of this video score 0.9; a box has 40 of these points"
    canvas.text((30, 262), words, PALE, 13)
    canvas.save("counting-evidence.png")


def judgement(steps: Sequence[Point], scores: Sequence[float], sure: float) -> str:
    """What is decided about a track, in a video where two sure objects go opposite ways."""
    n = 30
    frames = FrameTable(np.arange(n), np.arange(n) * 100_000, ("ok",) * n, ("",) * n)
    paths = [(1, k, 4 * k, 900, sure) for k in range(n)]
    paths += [(2, k, 900 - 4 * k, 950, sure) for k in range(n)]
    paths += [(3, 5 + k, x, y, score) for k, ((x, y), score) in enumerate(zip(steps, scores, strict=True))]
    track, seq, x, y, score = (np.array(column, float) for column in zip(*paths, strict=True))
    boxes = np.column_stack([x - 20, y - 20, x + 20, y + 20])
    none = np.zeros(len(seq))
    _, verdicts = judged(frames, TrackTable(seq, track, none, boxes, score, none), sure, 2_000_000)
    return Reason(int(verdicts.reason[2])).word


def draw_sides() -> None:
    """Which side is in."""
    canvas = Canvas(760, 220)
    for x, a, b, inner in [
        (20, (60, 110), (200, 110), [(60, 110), (200, 110), (200, 190), (60, 190)]),
        (270, (200, 110), (60, 110), [(60, 110), (200, 110), (200, 30), (60, 30)]),
        (520, (130, 40), (130, 180), [(130, 40), (130, 180), (40, 180), (40, 40)]),
    ]:
        a, b = (a[0] + x, a[1]), (b[0] + x, b[1])
        area = [(px + x, py) for px, py in inner]
        canvas.area(area, SHADE)
        canvas.arrow(a, b, ORANGE)
        middle = (sum(p[0] for p in area) / 4, sum(p[1] for p in area) / 4)
        canvas.text(middle, "in", GREEN, 16, "mm")
        across = (a[0] + b[0] - middle[0], a[1] + b[1] - middle[1])
        canvas.text(across, "out", BLUE, 16, "mm")
        for name, point in (("a", a), ("b", b)):
            shift = (-14 if point[0] == min(a[0], b[0]) else 14, 0) if a[1] == b[1] else (14, 0)
            canvas.text((point[0] + shift[0], point[1]), name, ORANGE, 15, "mm")
        said = verdict([_between(across, middle, t) for t in (0, 0.2, 0.8, 1)], [_line(a, b)], [])
        assert said == "in", said
    canvas.save("counting-sides.png")


def _between(p: Point, q: Point, t: float) -> Point:
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t


def _line(a: Point, b: Point) -> Line:
    return Line("line", a, b, "px")


def draw_line() -> None:
    """Paths across a line."""
    canvas = Canvas(1000, 300)
    y = 110
    waits = [(-6, 2), (-3, -2), (0, 1), (2, -1), (4, 2)]
    cases = [
        ("across", [(-10, -60), (-5, -30), (2, 10), (8, 30), (12, 55)]),
        ("in two frames", [(-5, -45), (8, 45)]),
        ("a jump", [(0, -60), (0, -30), (10, 20), (0, -25), (-5, -50)]),
        ("beyond its end", [(62, -60), (64, -30), (64, 25), (62, 55)]),
        (
            "there and back",
            [
                *[
                    (-20, -50),
                    (-16, -20),
                    (-10, 14),
                    (-8, 30),
                    (-4, 44),
                    (2, 52),
                    (8, 46),
                    (13, 32),
                    (16, 14),
                ],
                *[(20, -20), (22, -50)],
            ],
        ),
        ("waits, goes on", [(-16, -55), (-12, -25), *waits, (8, 28), (10, 55)]),
        ("waits, turns back", [(-16, -55), (-12, -25), *waits, (10, -28), (14, -55)]),
    ]
    for k, (title, steps) in enumerate(cases):
        x = 75 + k * 142
        a, b = (x - 45, y), (x + 45, y)
        canvas.area([a, b, (b[0], y + 75), (a[0], y + 75)], SHADE)
        canvas.band(a, b)
        canvas.arrow(a, b, ORANGE)
        points = [(x + dx, y + dy) for dx, dy in steps]
        path(canvas, points, title, (x, 212), verdict(points, [_line(a, b)], []))
    words = "a dot is a frame, ten a second, the first one hollow; the shaded side is in; nobody is clear of the line in the pale band"
    canvas.text((30, 275), words, PALE, 13)
    canvas.save("counting-line.png")


def draw_camera() -> None:
    """A camera pans and turns above a road: a line that stays on it, and one that stays in the picture."""
    size, shown = (220, 150), (0, 30, 60)
    looks = [_panned(1.3 * seq, 0.006 * seq, size) for seq in range(max(shown) + 1)]
    line = Line("line", (110, 112), (110, 38), "px")
    parked, driving = [(152.0, 100.0)] * len(looks), [(40 + 3.0 * seq, 75.0) for seq in range(len(looks))]
    canvas = Canvas(760, 260)
    for place, seq in enumerate(shown):
        panel, look = Canvas(*size), looks[seq]
        for area, colour in (
            (((-400, 45), (600, 45), (600, 108), (-400, 108)), "#dfe3e8"),
            (_car(parked[seq]), PALE),
        ):
            panel.area(_seen(look, area), colour)
        panel.area(_seen(look, _car(driving[seq])), BLUE)
        panel.line([line.a, line.b], RED, 1.5)
        panel.arrow(*_seen(look, (line.a, line.b)), ORANGE)
        at = 20 + place * 245
        canvas.image.paste(panel.image, tuple(map(round, _large((at, 30)))))
        canvas.line([(at, 30), (at + 220, 30), (at + 220, 180), (at, 180), (at, 30)], INK, 1)
        canvas.text((at, 16), f"frame {seq}" if seq else "frame 0, on which the line was drawn", INK, 13)
    for row, (words, colour, camera) in enumerate(
        (("on the road (arrow)", ORANGE, _path(looks)), ("in the picture (thin)", RED, None))
    ):
        said = [_said(points, looks, line, size, camera) for points in (driving, parked)]
        canvas.text((20, 208 + 24 * row), f"a line that stays {words}", colour, 14)
        canvas.text(
            (290, 208 + 24 * row), f"car that drives: {said[0]};  car that is parked: {said[1]}", INK, 14
        )
    canvas.save("counting-camera.png")


def _panned(right: float, turn: float, size: tuple[int, int]) -> Motion:
    """Where the ground of the first picture is, seen from farther to the right, turned about the middle."""
    a, b, x, y = math.cos(turn), -math.sin(turn), size[0] / 2, size[1] / 2
    return Motion(a, b, x - a * (x + right) + b * y, y - b * (x + right) - a * y)


def _seen(look: Motion, points: Sequence[Point]) -> list[Point]:
    return [(float(x), float(y)) for x, y in look.apply(np.array(points, float))]


def _car(at: Point) -> list[Point]:
    return [(at[0] + x, at[1] + y) for x, y in ((-16, -8), (16, -8), (16, 8), (-16, 8))]


def _path(looks: Sequence[Motion]) -> CameraPath:
    maps = np.array([(look.a, look.b, look.x, look.y) for look in looks])
    return CameraPath(maps, np.zeros(len(looks), np.int64))


def _said(
    way: Sequence[Point],
    looks: Sequence[Motion],
    line: Line,
    size: tuple[int, int],
    camera: CameraPath | None,
) -> str:
    """What counting says of a car on the ground, in words."""
    n = len(looks)
    corners = np.array([_seen(look, _car(at)) for look, at in zip(looks, way, strict=True)])
    boxes = np.concatenate((corners.min(axis=1), corners.max(axis=1)), axis=1)
    one, none = np.ones(n), np.zeros(n)
    tracks = TrackTable(np.arange(n), one, none, boxes, one, none)
    frames = FrameTable(np.arange(n), np.arange(n) * 100_000, ("ok",) * n, ("",) * n)
    group = GroupResult("cars", (0,), TrackTable.empty(), tracks)
    job = JobResult(
        "", "", 0, frames, Fraction(10), *size, ("car",), (group,), min_hits=3, conf=0.25, camera=camera
    )
    return ", ".join(event.direction for event in count_job(job, (line,)).events) or "nothing"


def draw_zone() -> None:
    """Paths through a zone."""
    canvas = Canvas(1000, 300)
    cases = [
        (
            "half a second",
            [
                *[(-62, 100), (-48, 98), (-30, 92), (-18, 100), (-6, 108), (6, 100), (18, 92), (30, 98)],
                *[(48, 104), (60, 112)],
            ],
        ),
        ("first seen inside", [(-16, 80), (0, 90), (12, 100), (20, 112)]),
        ("jumps in", [(-60, 80), (-52, 90), (-25, 95), (-22, 100), (-52, 108), (-60, 118)]),
        ("passes in an instant", [(-60, 70), (-5, 92), (52, 114)]),
        ("its track ends inside", [(-60, 130), (-48, 128), (-25, 118), (0, 110), (15, 100)]),
        ("waits, goes in", [(-60, 80), (-50, 84), (-36, 92), (-40, 98), (-36, 104), (-40, 110), (-20, 114)]),
        (
            "waits, goes back",
            [(-60, 80), (-50, 84), (-36, 92), (-40, 98), (-36, 104), (-40, 110), (-56, 114)],
        ),
    ]
    for k, (title, steps) in enumerate(cases):
        x = 75 + k * 142
        corners = ((x - 38, 45), (x + 38, 45), (x + 38, 150), (x - 38, 150))
        canvas.area(corners, SHADE)
        for a, b in zip(corners, (*corners[1:], corners[0]), strict=True):
            canvas.band(a, b)
        canvas.line([*corners, corners[0]], ORANGE)
        points = [(x + dx, dy) for dx, dy in steps]
        path(canvas, points, title, (x, 190), verdict(points, [], [Zone("z", corners, "px")]))
    words = "a dot is a frame, ten a second: the middle of the box's lower edge; in the pale band nobody is clear of the border"
    canvas.text((30, 262), words, PALE, 13)
    canvas.save("counting-zone.png")


if __name__ == "__main__":
    draw_count()
    draw_evidence()
    draw_sides()
    draw_line()
    draw_zone()
    draw_camera()
