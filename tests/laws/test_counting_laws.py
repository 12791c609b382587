"""Laws of counting: the fold is the whole, however it is cut; lines and zones follow their plain definition."""

import math
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.counts import Line, Zone
from sightline.errors import Misconfigured
from sightline.events import End, Tracked
from sightline.stages.stats import Stats
from sightline.types import FrameTable, GroupResult, JobResult, Origin, Tracks, TrackTable
from sightline.vision import foot_paths, geometry
from sightline.vision.counting import CountRule, Tally, count_job, count_tracks, cumulative
from sightline.vision.geometry import PASSAGE, crossings
from sightline.vision.sides import ROUNDING_US, SETTLED_US
from tests.anchored import from_anchors, told

FORGET = 4
FRAMES = 40


@st.composite
def worlds(draw):
    """Frames at varying distances, and tracks that are never away for longer than a tally remembers."""
    steps = draw(st.lists(st.integers(10_000, 400_000), min_size=FRAMES, max_size=FRAMES))
    every = []
    for track_id in range(1, draw(st.integers(1, 7))):
        seq = draw(st.integers(0, FRAMES - 1))
        while seq < FRAMES:
            every.append(
                (
                    seq,
                    track_id,
                    draw(st.integers(0, 2)),
                    (0.0, 0.0, 1.0, 1.0),
                    draw(st.sampled_from([0.1, 0.2, 0.3, 0.6])),
                    draw(st.sampled_from([Origin.HIGH, Origin.HIGH, Origin.LOW, Origin.INTERPOLATED])),
                )
            )
            seq += draw(st.sampled_from([1, 1, 1, 1, 2, 3, FORGET, FRAMES]))
    frames = FrameTable(np.arange(FRAMES), np.cumsum(steps), ("ok",) * FRAMES, ("",) * FRAMES)
    return frames, _gapless(_table(every))


def _table(every):
    return TrackTable(*zip(*every, strict=True)).sorted() if every else TrackTable.empty()


def _gapless(tracks):
    """Without rows whose track was not matched for too long: a tracker would have given them another id."""
    keep, last = np.ones(len(tracks), bool), {}
    for row, (seq, track, origin) in enumerate(zip(tracks.seq, tracks.track_id, tracks.origin, strict=True)):
        if seq - last.setdefault(track, seq) > FORGET:
            keep[row] = False
        elif origin <= Origin.LOW:
            last[track] = seq
    return tracks[keep]


def by_frame(frames, tracks):
    """The tracks of each frame, as a tracker gives them."""
    for seq in range(len(frames)):
        at = tracks.seq == seq
        yield Tracks(
            tracks.xyxy[at],
            tracks.confidence[at],
            tracks.class_id[at],
            tracks.track_id[at],
            tracks.origin[at],
        )


@given(worlds(), st.integers(1, 6), st.sampled_from([0, 50_000, 10_000_000]))
def test_the_fold_counts_what_the_finished_job_counts(world, min_hits, forget_us):
    """Unique objects after every frame, their classes, and the ids seen; forgetting changes nothing."""
    frames, tracks = world
    tally, unique = Tally.initial(CountRule(min_hits, FORGET, forget_us)), []

    for seq, some in enumerate(by_frame(frames, tracks)):
        tally = tally.add(some, seq, int(frames.pts_us[seq]))
        unique.append(tally.unique)

    whole = count_tracks(frames, tracks, min_hits)
    classes, objects = np.unique(whole.class_id[whole.counted], return_counts=True)
    assert unique == cumulative(frames, tracks, min_hits).tolist()
    assert tally.by_class() == dict(zip(classes.tolist(), objects.tolist(), strict=True))
    assert tally.raw_ids == np.count_nonzero(whole.hits)


@given(worlds(), st.integers(0, FRAMES))
def test_saved_and_loaded_at_any_frame_is_going_on(world, cut):
    """Bit for bit, and saving again gives the same bytes."""
    frames, tracks = world
    rule = CountRule(2, FORGET, 0)
    through = resumed = Tally.initial(rule)

    for seq, some in enumerate(by_frame(frames, tracks)):
        if seq == cut:
            saved = resumed.encode()
            resumed = Tally.decode(rule, saved)
            assert resumed.encode() == saved
        through, resumed = (each.add(some, seq, int(frames.pts_us[seq])) for each in (through, resumed))

    assert resumed.encode() == through.encode()


@given(worlds(), st.lists(st.integers(0, FRAMES), max_size=5))
def test_a_stream_may_be_cut_into_batches_anywhere(world, cuts):
    """The stage's answers and its state are those of one batch."""
    frames, tracks = world
    stage = Stats(CountRule(2, FORGET, 0))
    records = [
        Tracked("j", "tracks:cars", seq, seq, int(frames.pts_us[seq]), tracks=some)
        for seq, some in enumerate(by_frame(frames, tracks))
    ]
    records.append(End("j", "tracks:cars", FRAMES))

    whole = stage.process(records, stage.initial())
    state, parts = stage.initial(), ()
    for first, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(records)], strict=True):
        out = stage.process(records[first:end], stage.decode(stage.encode(state)))
        state, parts = out.state, parts + out.records

    assert parts == whole.records
    assert stage.encode(state) == stage.encode(whole.state)


# --- lines and zones against their definition, written out -------------------------------------------------------

SIDE, CORNER = (
    1000,
    500,
)  # of the picture, and of the small grid on which they walk, far from the picture's edges
GRID = 12
STEPS = 30


@st.composite
def walks(draw):
    """Tracks of some sizes that walk about on a small grid, so that standing on a line or a corner is common."""
    steps = draw(st.lists(st.sampled_from([40_000, 100_000, 600_000]), min_size=STEPS, max_size=STEPS))
    frames = FrameTable(np.arange(STEPS), np.cumsum(steps), ("ok",) * STEPS, ("",) * STEPS)
    every = []
    for track_id in range(1, draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, GRID)), draw(st.integers(0, GRID))
        half = draw(st.sampled_from([15.7, 18.1, 22.3]))
        for seq in sorted(draw(st.sets(st.integers(0, STEPS - 1), min_size=1))):
            x, y = (min(GRID, max(0, at + draw(st.integers(-6, 6)))) for at in (x, y))
            box = (CORNER + x - half, CORNER + y - 2 * half, CORNER + x + half, float(CORNER + y))
            every.append((seq, track_id, 0, box, 0.9, 0))
    return frames, _table(every)


points = st.tuples(st.integers(0, GRID), st.integers(0, GRID)).map(
    lambda at: (float(CORNER + at[0]), float(CORNER + at[1]))
)


def encloses(corners):
    """Whether the corners do not all lie on one line, which no zone takes."""
    (x, y), (a, b), *others = corners
    return any((a - x) * (d - y) != (c - x) * (b - y) for c, d in others)


outlines = st.lists(points, min_size=3, max_size=6, unique=True).filter(encloses)


class Step(NamedTuple):
    """A row of a track: its frame's number and times, where its object stood, and how large it is."""

    seq: int
    start_us: int
    end_us: int
    x: float
    y: float
    size: float


def settled(path, sides, clear, *, passable):
    """Stays (first row, side) of one track, one row after the other."""
    found, row = [], 0
    for (side, far), group in groupby(zip(sides, clear, strict=True)):
        first, row = row, row + len(list(group))
        last = row - 1
        if not (side and far):
            continue
        long = path[last].end_us - path[first].start_us >= SETTLED_US - ROUNDING_US
        outermost = first == 0 or row == len(path)
        if long or outermost or (passable and passes(path, first, row)):
            found.append((first, side))
    if not found:
        longest = sum(side * (step.end_us - step.start_us) for side, step in zip(sides, path, strict=True))
        found.append((0, 1 if longest > 0 else -1))
    return found


def passes(path, first, end):
    came, went = path[first - 1], path[end]
    return np.hypot(went.x - came.x, went.y - came.y) >= PASSAGE * path[first].size


def changed(sides, stays, home):
    """Where a track was first seen on another side than it had: (last row there, first row here, side)."""
    found = []
    for first, side in stays:
        if home and side != home:
            old = max((row for row in range(first + 1) if sides[row] == -side), default=-1)
            new = min(row for row in range(old + 1, len(sides)) if sides[row] == side)
            found.append((old, new, side))
        home = side
    return found


def sides_changed(path, a, b):
    """A line: (seq, direction) of one track."""
    length = math.dist(a, b)
    dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    depth = [dx * (step.y - a[1]) - dy * (step.x - a[0]) for step in path]
    sides = [int(np.sign(each)) for each in depth]
    clear = [abs(each) >= step.size / 10 for each, step in zip(depth, path, strict=True)]
    return [
        (path[new].seq, "in" if side > 0 else "out")
        for old, new, side in changed(sides, settled(path, sides, clear, passable=False), 0)
        if meets(path[old][3:5], path[new][3:5], a, b)
    ]


def meets(p, q, a, b):
    """Whether the step p-q, whose ends are on different sides of the line, passes between a and b."""

    def side(r, s, t):
        return (s[0] - r[0]) * (t[1] - r[1]) - (s[1] - r[1]) * (t[0] - r[0])

    return side(p, q, a) * side(p, q, b) <= 0


def visits(path, corners):
    """A zone: (seq, kind) of one track."""
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    area = abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in edges)) / 2
    broad = 2 * area / sum(math.dist(a, b) for a, b in edges)
    sides = [1 if encloses(edges, step.x, step.y) else -1 for step in path]
    clear = [min(gap(step, a, b) for a, b in edges) >= min(step.size / 10, broad / 4) for step in path]
    return [
        (path[new].seq, "zone_enter" if side > 0 else "zone_exit")
        for _, new, side in changed(sides, settled(path, sides, clear, passable=True), -1)
    ]


def encloses(edges, x, y):
    odd = False
    for (x1, y1), (x2, y2) in edges:
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def gap(step, a, b):
    """How far a point is from a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = min(max(((step.x - a[0]) * dx + (step.y - a[1]) * dy) / (dx * dx + dy * dy), 0), 1)
    return np.hypot(step.x - a[0] - along * dx, step.y - a[1] - along * dy)


def paths(world):
    """The steps of each track."""
    frames, tracks = world
    ends = [*frames.pts_us[1:], frames.pts_us[-1]]
    for track_id in np.unique(tracks.track_id):
        mine = tracks[tracks.track_id == track_id]
        yield (
            int(track_id),
            [
                Step(
                    int(seq), frames.pts_us[seq], ends[seq], (x1 + x2) / 2, y2, np.sqrt((x2 - x1) * (y2 - y1))
                )
                for seq, (x1, y1, x2, y2) in zip(mine.seq, mine.xyxy, strict=True)
            ],
        )


def found(world, lines=(), zones=()):
    frames, tracks = world
    labels = {int(track): "car" for track in np.unique(tracks.track_id)}
    return crossings(frames, tracks, lines, zones, SIDE, SIDE, labels, "cars")


def other_end(a, b):
    """A point that is not `a`."""
    return b if a != b else (a[0], a[1] + 1)


@given(walks(), points, points)
def test_lines_follow_their_definition(world, a, b):
    """All tracks at once or one row after the other: the same crossings."""
    b = other_end(a, b)

    events = found(world, [Line("l", a, b, unit="px")])

    expected = [(seq, track, side) for track, path in paths(world) for seq, side in sides_changed(path, a, b)]
    assert [(event.seq, event.track_id, event.direction) for event in events] == sorted(expected)


@given(walks(), outlines)
def test_zones_follow_their_definition(world, corners):
    """Also where the outline crosses itself."""
    events = found(world, zones=[Zone("z", tuple(corners), unit="px")])

    expected = [(seq, track, kind) for track, path in paths(world) for seq, kind in visits(path, corners)]
    assert [(event.seq, event.track_id, event.kind) for event in events] == sorted(expected)


@given(walks(), st.integers(1, GRID - 1))
def test_ins_and_outs_of_a_line_through_the_picture_alternate(world, y):
    """Nobody comes in twice without going out in between: a line that cannot be walked around loses nobody."""
    events = found(world, [Line("l", (0, CORNER + y), (SIDE, CORNER + y), unit="px")])

    for track_id in {event.track_id for event in events}:
        ways = [event.direction for event in events if event.track_id == track_id]
        assert all(one != other for one, other in pairwise(ways))


@given(walks(), outlines)
def test_who_enters_a_zone_leaves_it_before_entering_again(world, corners):
    """And nobody leaves who has not entered."""
    events = found(world, zones=[Zone("z", tuple(corners), unit="px")])

    for track_id in {event.track_id for event in events}:
        kinds = [event.kind for event in events if event.track_id == track_id]
        assert kinds == ["zone_enter", "zone_exit"] * (len(kinds) // 2) + ["zone_enter"] * (len(kinds) % 2)


@given(walks(), points, points)
def test_a_line_drawn_the_other_way_swaps_in_and_out(world, a, b):
    """The same frames, the same places."""
    b = other_end(a, b)
    swap = {"in": "out", "out": "in"}

    there = found(world, [Line("l", a, b, unit="px")])
    back = found(world, [Line("l", b, a, unit="px")])

    assert [(e.seq, e.track_id, e.direction) for e in there] == [
        (e.seq, e.track_id, swap[e.direction]) for e in back
    ]


# --- anchors: the same counts from what was stored, however it is looked at ---------------------------------------

WIDTH, HEIGHT = 120, 60


@st.composite
def jobs(draw):
    """Finished jobs of two groups whose objects walk about in all of a small picture, and out of it."""
    n = draw(st.integers(2, 25))
    steps = draw(st.lists(st.sampled_from([40_000, 100_000, 600_000]), min_size=n, max_size=n))
    frames = FrameTable(np.arange(n) * 3, np.cumsum(steps), ("ok",) * n, ("",) * n)
    groups = tuple(
        GroupResult(name, (place,), TrackTable.empty(), draw(wanderers(n, place)), None, None)
        for place, name in enumerate(("cars", "people"))
    )
    return JobResult(
        "v",
        "j",
        0,
        frames,
        Fraction(10),
        WIDTH,
        HEIGHT,
        ("car", "person"),
        groups,
        draw(st.integers(1, 4)),
        0.25,
    )


@st.composite
def wanderers(draw, frames, class_id):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    whole = draw(st.booleans())  # pixels: standing on a border is common then
    every = []
    for track_id in range(1, draw(st.integers(1, 9))):
        seqs = np.flatnonzero(rng.random(frames) < rng.choice([0.3, 1]))
        at = rng.uniform([0, 0], [WIDTH, HEIGHT]) + rng.normal(
            0, rng.choice([0.5, 5, 25]), (len(seqs), 2)
        ).cumsum(0)
        at = np.rint(at / 5) * 5 if whole else at
        w, h = rng.uniform(2, 30, 2)
        boxes = np.column_stack([at[:, 0] - w / 2, at[:, 1] - h, at[:, 0] + w / 2, at[:, 1]])
        if rng.random() < 0.6:
            boxes = boxes.clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        origins = rng.choice([0, 0, 0, 1, 2, 3], len(seqs))
        rows = zip(seqs.tolist(), boxes.tolist(), origins.tolist(), strict=True)
        every += [(seq, track_id, class_id, box, 0.9, origin) for seq, box, origin in rows]
    return _table(every)


@st.composite
def shapes(draw):
    """Lines and zones anywhere, on the picture in part at least; those that nobody may draw are left out."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    whole = draw(st.booleans())

    def points(n):
        drawn = rng.uniform(-0.2, 1.2, (n, 2))
        return tuple(map(tuple, (np.rint(drawn * 12) / 12 if whole else drawn).tolist()))

    lines = [lambda k=k: Line(f"l{k}", *points(2)) for k in range(4)]
    zones = [lambda k=k: Zone(f"z{k}", points(int(rng.integers(3, 6)))) for k in range(3)]
    return tuple(_drawn(lines)), (*_drawn(zones), Zone("whole", ((0, 0), (1, 0), (1, 1), (0, 1))))


def _drawn(attempts):
    for attempt in attempts:
        try:
            yield attempt()
        except Misconfigured:
            continue


@given(jobs(), shapes())
def test_stored_anchors_count_what_tracks_count(job, drawn):
    """Every field of every track and event, in the same order."""
    assert told(from_anchors(job, *drawn)) == told(count_job(job, *drawn))


@given(jobs(), shapes(), st.integers(1, 40))
def test_parts_of_any_size_count_the_same(job, drawn, rows):
    """One track at a time, or all."""
    whole = told(count_job(job, *drawn))

    with mock.patch.object(foot_paths, "PART", rows):
        assert told(from_anchors(job, *drawn)) == whole


@given(jobs(), shapes())
def test_who_is_left_out_early_would_not_have_counted(job, drawn):
    """Looking at every row of every track finds nothing more."""
    early = told(count_job(job, *drawn))

    def everybody(bounds, *_):
        return np.ones(len(bounds), bool)

    with mock.patch.multiple(geometry, may_cross=everybody, may_enter=everybody):
        assert told(count_job(job, *drawn)) == early
