"""Topology: one table says who reads what, and everything else follows from it."""

from collections import Counter

import msgspec

from sightline.events import Sampled, native
from sightline.jobs.topology import (
    FOLDS,
    Topology,
    consumers,
    folds_of,
    frames_stream,
    partition_of,
    released_by,
    rule_of,
    stage_of,
    streams_of,
    topics_of,
)
from sightline.runtime.routes import outgoing
from sightline.testing import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

TRACKED = scripted_recipe("j", tracker=TrackerSettings(track_buffer=15))
UNTRACKED = scripted_recipe("j")
TRACK, STATS, COLLECT = FOLDS


def test_records_pass_track_then_stats_then_collect():
    """Each topic once a stage, in the order in which records pass them."""
    pairs = [(stage.name, topic) for stage, topic in folds_of(topics_of(["cars"], tracked=True))]

    assert pairs == [
        ("track", "detections-cars"),
        ("stats", "tracks-cars"),
        ("collect", "detections-cars"),
        ("collect", "tracks-cars"),
        ("collect", "totals-cars"),
    ]


def test_without_tracks_detections_are_collected_only():
    """Nobody waits for a stage that never reads."""
    topics = topics_of(["cars"], tracked=False)

    assert [(stage.name, topic) for stage, topic in folds_of(topics)] == [("collect", "detections-cars")]
    assert consumers(Topology.of(topics, 8)) == {"jobs": 1, "frames-main": 1, "detections-cars": 1}


def test_a_topic_is_kept_for_each_stage_that_reads_it():
    """Detections and tracks have two readers."""
    assert consumers(Topology.of(topics_of(["cars"], tracked=True), 8)) == {
        "jobs": 1,
        "frames-main": 1,
        "detections-cars": 2,
        "tracks-cars": 2,
        "totals-cars": 1,
    }


def test_streams_that_share_a_topic_are_read_once():
    """As in the dialect of a system whose results all lie on one topic."""
    shared = {"frames:main": "tasks", "detections:cars": "results", "detections:people": "results"}

    assert [(stage.name, topic) for stage, topic in folds_of(shared)] == [("collect", "results")]


def test_a_stage_folds_the_streams_of_its_kind_alone():
    """None where it has nothing to do with a stream, or the job with it."""
    assert stage_of(TRACKED, TRACK, "detections:cars").settings == TrackerSettings(track_buffer=15)
    assert stage_of(TRACKED, STATS, "tracks:cars").rule == rule_of(TRACKED)
    assert stage_of(TRACKED, COLLECT, "totals:people") is not None
    assert stage_of(TRACKED, TRACK, "tracks:cars") is None
    assert stage_of(TRACKED, COLLECT, "tracks:dogs") is None
    assert stage_of(UNTRACKED, TRACK, "detections:cars") is None
    assert stage_of(UNTRACKED, COLLECT, "detections:cars") is not None


def test_new_frames_wait_for_the_stage_behind_detection():
    """Of every group; without a tracker that is collect."""
    assert released_by(TRACKED) == (("track", "detections:cars"), ("track", "detections:people"))
    assert released_by(UNTRACKED) == (("collect", "detections:cars"), ("collect", "detections:people"))
    assert streams_of(["people"], tracked=False) == ("detections:people",)


def test_a_track_is_remembered_twice_as_long_as_the_tracker_keeps_it():
    """In frames and in time: a track that comes back must not count again."""
    assert (rule_of(TRACKED).forget_frames, rule_of(TRACKED).forget_us) == (32, 2_000_000)


def test_short_jobs_use_all_partitions_between_them():
    """Of jobs with fewer chunks than there are partitions no partition is left to the long ones alone."""
    jobs = [scripted_recipe(f"job-{number}", 150) for number in range(500)]
    routes = [
        msgspec.structs.replace(job.route, frame_partitions=64, partition=partition_of(job.job_id, 64))
        for job in jobs
    ]
    sent = [
        outgoing(
            msgspec.structs.replace(job, route=route),
            Sampled(job.job_id, frames_stream(), 50 * chunk, 50 * chunk, 0, chunk=chunk),
            native,
        )
        for job, route in zip(jobs, routes, strict=True)
        for chunk in range(3)
    ]

    frames = Counter(record.partition for record in sent)

    assert len(frames) == 64
    assert max(frames.values()) < 2.5 * len(sent) / 64
