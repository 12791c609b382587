"""The simulated cluster: no frame is lost or invented, nobody works twice at a time, and known answers come out."""

from itertools import pairwise

import pytest
from benchmarks.scale.arrivals import at_once, cameras, poisson
from benchmarks.scale.cluster import Costs, Layout, simulate
from benchmarks.scale.figures import figures
from benchmarks.scale.svg import Axis, plot

from sightline.runtime.window import FEED_AT_ONCE, FLOOR, room_of

COSTS = Costs(frame_us=20_000, fold_us=500, commit_us=2_000, publish_us=100_000)
FREE = Costs(frame_us=20_000)
MIXED = poisson(3, 12, (("short", 90, 0.8), ("long", 900, 0.2)), seed=5)


def spans(outcome):
    """Begin and end of every slice, by lane."""
    found = {}
    for lane, begin, end, *_ in outcome.slices:
        found.setdefault(lane, []).append((begin, end))
    return found


def test_every_frame_is_detected_once():
    """Of each job the slices are its frames, without a hole and without an overlap."""
    outcome = simulate(Layout(4, 8, lanes=2, folders=2), COSTS, MIXED, keep=True)

    for arrival in MIXED:
        seqs = [
            seq
            for _, _, _, job, first, frames in outcome.slices
            if job == arrival.job_id
            for seq in range(first, first + frames)
        ]
        assert sorted(seqs) == list(range(arrival.frames))
    assert sorted(job.job_id for job in outcome.jobs) == sorted(each.job_id for each in MIXED)
    assert sum(outcome.frames) == sum(each.frames for each in MIXED)


def test_no_lane_works_twice_at_a_time_and_none_before_its_job_came():
    """A slice of a lane begins when the one before has ended."""
    outcome = simulate(Layout(4, 8, lanes=2, folders=2), COSTS, MIXED, keep=True)
    came = {each.job_id: each.at_us for each in MIXED}

    assert len(spans(outcome)) == 8
    for each in spans(outcome).values():
        assert all(end <= begin for (_, end), (begin, _) in pairwise(each))
    assert all(begin >= came[job] for _, begin, _, job, _, _ in outcome.slices)


@pytest.mark.parametrize(("jobs", "floors"), [(1, 0), (40, FEED_AT_ONCE)])
def test_no_more_is_on_its_way_than_the_window_allows(jobs, floors):
    """One job has the window; others may have their floor beside it."""
    outcome = simulate(Layout(2, 1), COSTS, at_once(jobs, 2000))

    assert 0 < outcome.outstanding <= room_of(50, 1) + floors * FLOOR


def test_the_same_seed_gives_the_same_run_and_another_one_does_not():
    """To the microsecond."""
    runs = [simulate(Layout(3, 8), COSTS, cameras(6, 2, 200, 10, seed=seed), keep=True) for seed in (1, 1, 2)]

    assert runs[0] == runs[1]
    assert runs[0].jobs != runs[2].jobs


def test_one_worker_takes_the_frames_times_their_cost():
    """Where nothing else takes any time."""
    outcome = simulate(Layout(1, 8), FREE, at_once(3, 1000))

    assert max(job.ready for job in outcome.jobs) == 3000 * FREE.frame_us


@pytest.mark.parametrize("workers", [2, 8, 32])
def test_with_partitions_and_windows_enough_workers_are_so_many_times_as_fast(workers):
    """Within two percent, while there is work for all."""
    layout = Layout(workers, 32)
    jobs = at_once(12 * workers, 2000)

    found = figures(layout, FREE, simulate(layout, FREE, jobs))

    assert found.rate == pytest.approx(workers * 1e6 / FREE.frame_us, rel=0.02)


def test_more_workers_than_partitions_have_nothing_to_do():
    """A partition has one worker."""
    outcome = simulate(Layout(8, 4), FREE, at_once(16, 500))

    assert {worker for worker, _ in outcome.busy} == {0, 1, 2, 3}


def test_chunks_that_all_began_at_the_lowest_partition_left_most_workers_idle():
    """Of 64 partitions jobs of three chunks used three."""
    jobs = at_once(200, 150)
    before, now = (simulate(Layout(64, 64, spread=spread), FREE, jobs) for spread in (False, True))

    assert sum(frames > 0 for frames in before.frames) == 3
    assert sum(frames > 0 for frames in now.frames) == 64


def test_a_point_at_the_end_of_both_axes_is_drawn_in_the_corner():
    """Up is more."""
    text = plot("t", Axis("x", (0, 10)), Axis("y", (1, 10, 100), log=True), {"a < b": [(0, 1), (10, 100)]})

    assert '<circle cx="70.0" cy="308.0"' in text
    assert '<circle cx="460.0" cy="34.0"' in text
    assert "a &lt; b" in text
