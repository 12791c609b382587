"""Laws of counting: the fold is the whole, however it is cut; lines and zones follow their plain definition."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.counts import Line, Zone
from sightline.events import End, Tracked
from sightline.stages.stats import Stats
from sightline.types import FrameTable, Origin, Tracks, TrackTable
from sightline.vision.counting import CountRule, Tally, count_tracks, cumulative
from sightline.vision.geometry import EDGE, SETTLED_LINE, SETTLED_ZONE, crossings

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


@st.composite
def walks(draw):
    """Tracks that walk about on a small grid, so that standing on a line or a corner is common."""
    every = []
    for track_id in range(1, draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, 8)), draw(st.integers(0, 8))
        for seq in sorted(draw(st.sets(st.integers(0, 25), min_size=1))):
            x, y = (min(8, max(0, at + draw(st.integers(-3, 3)))) for at in (x, y))
            every.append((seq, track_id, 0, (x - 1.0, y - 2.0, x + 1.0, float(y)), 0.9, 0))
    return _table(every)


points = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda at: (float(at[0]), float(at[1])))


def sides_changed(track, a, b):
    """A line, frame by frame: (seq, direction) of one track's rows (seq, x, y)."""
    home, last, run, run_side, start, found = 0, None, 0, 0, None, []
    for row in track:
        _, x, y = row
        cross = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        side = int(cross > 0) - int(cross < 0)
        if side == 0:
            continue
        if side != run_side:
            run, run_side, start = 0, side, row
        run += 1
        if side == home:
            last = row
        if side == home or run < SETTLED_LINE:
            continue
        if home and meets(last[1:], start[1:], a, b):
            found.append((start[0], "in" if side > 0 else "out"))
        home, last = side, row
    return found


def meets(p, q, a, b):
    """Whether the step p-q, whose ends are on different sides of the line, passes between a and b."""

    def side(r, s, t):
        return (s[0] - r[0]) * (t[1] - r[1]) - (s[1] - r[1]) * (t[0] - r[0])

    return side(p, q, a) * side(p, q, b) <= 0


def visits(track, corners):
    """A zone, frame by frame: (seq, kind). Who stands on the edge of the picture is looked for just within it."""
    within, run, found, first = False, 0, [], None
    for seq, *at in track:
        x, y = (min(max(part, 8 * EDGE), 8 - 8 * EDGE) for part in at)
        if encloses(corners, x, y) == within:
            run = 0
            continue
        run += 1
        first = seq if run == 1 else first
        if run == SETTLED_ZONE:
            within, run = not within, 0
            found.append((first, "zone_enter" if within else "zone_exit"))
    return found


def encloses(corners, x, y):
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, corners[-1:] + corners[:-1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def paths(tracks):
    """Rows (seq, x, y) of each track."""
    for track_id in np.unique(tracks.track_id):
        mine = tracks[tracks.track_id == track_id]
        yield (
            int(track_id),
            [(int(seq), (x1 + x2) / 2, y2) for seq, (x1, _, x2, y2) in zip(mine.seq, mine.xyxy, strict=True)],
        )


def found(tracks, lines=(), zones=()):
    labels = {int(track): "car" for track in np.unique(tracks.track_id)}
    return crossings(tracks, lines, zones, 8, 8, labels, "cars")


@given(walks(), points, points)
def test_lines_follow_their_definition(tracks, a, b):
    """All tracks at once or one frame after the other: the same crossings."""
    if a == b:
        b = (a[0] + 1, a[1]) if a[0] < 8 else (a[0] - 1, a[1])

    events = found(tracks, [Line("l", a, b, unit="px")])

    expected = [(seq, track, way) for track, path in paths(tracks) for seq, way in sides_changed(path, a, b)]
    assert [(event.seq, event.track_id, event.direction) for event in events] == sorted(expected)


@given(walks(), st.lists(points, min_size=3, max_size=6, unique=True))
def test_zones_follow_their_definition(tracks, corners):
    """Also where the outline crosses itself."""
    events = found(tracks, zones=[Zone("z", tuple(corners), unit="px")])

    expected = [(seq, track, kind) for track, path in paths(tracks) for seq, kind in visits(path, corners)]
    assert [(event.seq, event.track_id, event.kind) for event in events] == sorted(expected)


@given(walks(), st.integers(1, 7))
def test_ins_and_outs_of_a_line_through_the_picture_alternate(tracks, y):
    """Nobody comes in twice without going out in between: a line that cannot be walked around loses nobody."""
    events = found(tracks, [Line("l", (0, y), (8, y), unit="px")])

    for track_id in {event.track_id for event in events}:
        ways = [event.direction for event in events if event.track_id == track_id]
        assert all(one != other for one, other in pairwise(ways))


@given(walks(), points, points)
def test_a_line_drawn_the_other_way_swaps_in_and_out(tracks, a, b):
    """The same frames, the same places."""
    if a == b:
        return
    swap = {"in": "out", "out": "in"}

    there = found(tracks, [Line("l", a, b, unit="px")])
    back = found(tracks, [Line("l", b, a, unit="px")])

    assert [(e.seq, e.track_id, e.direction) for e in there] == [
        (e.seq, e.track_id, swap[e.direction]) for e in back
    ]
