"""What holds for any scene."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.types import Detections, Origin
from sightline.vision.bytetrack import TrackerSettings, decode, encode, initial, skip, step
from tests.laws.tracker_scenes import EVERY, FIXED, FRAME_US, ids, play, street

MODES = st.sampled_from(EVERY)


@st.composite
def scenes(draw) -> list[Detections]:
    """A street with some frames empty, sometimes seen from a panning camera."""
    frames = street(
        draw(st.integers(0, 10_000)),
        draw(st.integers(0, 18)),
        draw(st.integers(1, 40)),
        pan=draw(st.sampled_from([0.0, 0.0, 25.0])),
    )
    empty = draw(st.sets(st.integers(0, len(frames) - 1), max_size=4))
    return [Detections.empty() if seq in empty else frame for seq, frame in enumerate(frames)]


@given(MODES, scenes(), st.data())
def test_save_load_and_go_on_is_to_go_on(mode: TrackerSettings, frames, data):
    """At any frame, bit for bit, and the end state saves to the same bytes."""
    cut = data.draw(st.integers(0, len(frames)))
    whole_state, whole = play(mode, frames)

    state, _ = play(mode, frames[:cut])
    state, rest = play(mode, frames[cut:], decode(mode, encode(mode, state)), first=cut)

    assert encode(mode, state) == encode(mode, whole_state)
    for one, other in zip(rest, whole[cut:], strict=True):
        assert one.tracks == other.tracks
        assert np.array_equal(one.births.xyxy, other.births.xyxy)
        assert np.array_equal(one.births.track_id, other.births.track_id)


@given(MODES, scenes())
def test_every_track_is_a_detection_of_its_frame(mode: TrackerSettings, frames):
    """Ids are unique and rising in a frame, from 1; confidence and class are those of one detection each."""
    state, shown = play(mode, frames)

    for frame, detections in zip(shown, frames, strict=True):
        tracks = frame.tracks
        assert (np.diff(tracks.track_id) > 0).all()
        assert (tracks.track_id >= 1).all()
        assert (tracks.track_id < state.next_id).all()
        seen = list(zip(detections.confidence.tolist(), detections.class_id.tolist(), strict=True))
        for pair in zip(tracks.confidence.tolist(), tracks.class_id.tolist(), strict=True):
            seen.remove(pair)
        if not mode.evidence:  # there the scale so far decides
            low = tracks.confidence < mode.track_high_thresh
            assert np.array_equal(tracks.origin == Origin.LOW, low)


@given(scenes())
def test_quality_invents_no_box(frames):
    """Every box given out is one of the frame's, each at most once."""
    _, shown = play(TrackerSettings(), frames)

    for frame, detections in zip(shown, frames, strict=True):
        boxes = [tuple(box) for box in detections.xyxy.tolist()]
        for box in frame.tracks.xyxy.tolist():
            boxes.remove(tuple(box))


@given(st.sampled_from(FIXED), scenes())
def test_a_birth_comes_once_before_the_track_it_belongs_to(mode: TrackerSettings, frames):
    """A track either begins in the first frame or has one birth, a high detection, in the frame before."""
    _, shown = play(mode, frames)

    known: set[int] = set()
    born: set[int] = set()
    for seq, frame in enumerate(shown):
        fresh = set(frame.tracks.track_id.tolist()) - known
        assert fresh <= (born if seq else fresh)
        born = set(frame.births.track_id.tolist())
        assert not born & known
        assert all(at == seq for at in frame.births.seq.tolist())
        assert all(box in frames[seq].xyxy.tolist() for box in frame.births.xyxy.tolist())
        known |= fresh


@given(MODES, scenes(), st.integers(-(10**12), 10**12))
def test_only_differences_of_time_count(mode: TrackerSettings, frames, start: int):
    """A clock that starts elsewhere gives the same tracks."""
    _, plain = play(mode, frames)

    state, later = initial(mode), []
    for seq, detections in enumerate(frames):
        state, tracks, _ = step(mode, state, detections, start + seq * FRAME_US, seq)
        later.append(tracks)

    assert [frame.tracks for frame in plain] == later


@given(scenes(), st.sets(st.integers(0, 39)))
def test_skipped_frames_are_not_there_in_quality(frames, skipped):
    """Tracks of a video with failed frames are those of a video that never had them."""
    mode = TrackerSettings()
    one, other = initial(mode), initial(mode)
    for seq, detections in enumerate(frames):
        if seq in skipped:
            one = skip(mode, one, seq * FRAME_US, seq)
            continue
        one, tracks, _ = step(mode, one, detections, seq * FRAME_US, seq)
        other, same, _ = step(mode, other, detections, seq * FRAME_US, seq)
        assert tracks == same


@settings(deadline=None, max_examples=10)
@given(st.sampled_from(EVERY), st.integers(0, 1000))
def test_a_crowd_is_tracked_like_a_few(mode: TrackerSettings, seed: int):
    """Two far apart scenes in one tracker, so large that boxes are sorted and grouped, keep apart and keep ids."""
    frames = street(seed, 60, 12)
    shift = np.array([1e5, 0, 1e5, 0])
    both = [
        Detections(np.vstack([d.xyxy, d.xyxy + shift]), np.tile(d.confidence, 2), np.tile(d.class_id, 2))
        for d in frames
    ]
    mode = TrackerSettings(mode=mode.mode, online=mode.online, own_motion=False)

    _, alone = play(mode, frames)
    _, together = play(mode, both)

    for one, two in zip(alone, together, strict=True):
        left = two.tracks[two.tracks.xyxy[:, 0] < 5e4]
        right = two.tracks[two.tracks.xyxy[:, 0] >= 5e4]
        assert np.allclose(left.xyxy[np.lexsort(left.xyxy.T)], one.tracks.xyxy[np.lexsort(one.tracks.xyxy.T)])
        assert len(right) == len(left) == len(one.tracks)
    assert len(ids(together)[-1]) > 40
