"""Topics, groups and routes of jobs that several processes share."""

import msgspec
import pytest

from sightline import pipeline
from sightline.app.shared import JOBS, addressed, consumer_groups, shared_route, shared_topology
from sightline.events import native
from sightline.jobs import requests
from sightline.jobs.requests import Request, SourceRef
from sightline.jobs.topology import partition_of
from sightline.ports import Job, Outgoing
from sightline.testing import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

ALL = ("traffic", "visdrone", "detect")


def test_the_documented_groups_read_the_documented_topics():
    """Old monitoring goes on to find them."""
    groups = consumer_groups(ALL)

    assert {key: groups[key] for key in groups if not groups[key].startswith("sightline-")} == {
        "feed outbox_events": "runner-group",
        "detect car-frames": "car-detector-group",
        "detect person-frames": "person-detector-group",
        "track detections-cars": "car-tracker-group",
        "track detections-people": "person-tracker-group",
        "stats tracks-cars": "stats-generator-group",
        "stats tracks-people": "stats-generator-group",
        "detect inference_tasks": "inference-group",
        "collect inference_results": "runner-results-group",
    }
    assert groups["collect detections-cars"] == "sightline-collect-visdrone"


def test_everybody_who_reads_has_a_group():
    """Else nobody could say who owns what."""
    groups = consumer_groups(ALL)

    for stage, topic, _ in shared_topology(ALL, 4).reads():
        assert groups[f"{stage} {topic}"]
    assert {"publish", "relay"} <= groups.keys()


@pytest.mark.parametrize(
    ("name", "frames", "branches"),
    [
        ("visdrone", {"car-frames", "person-frames"}, {"cars": ("cars",), "people": ("people",)}),
        ("traffic", {"frames-traffic"}, msgspec.UNSET),
    ],
)
def test_a_route_leads_over_the_topics_of_its_pipeline(name, frames, branches):
    """A topic of frames for each detector, the job's own partition for all that gathers."""
    recipe = scripted_recipe("j1", tracker=TrackerSettings(), prefix="p/")

    route = shared_route(pipeline.resolve(pipeline.load(name)), recipe, "videos", 8)

    assert {topic for stream, topic in route.topics.items() if stream.startswith("frames:")} == frames
    assert set(recipe.streams) <= route.topics.keys()
    assert (route.branches, route.bucket, route.prefix) == (branches, "videos", "p/")
    assert (route.frame_partitions, route.partition) == (8, partition_of("j1", 8))


def test_a_detector_finds_its_own_groups_alone():
    """By the topic that it reads."""
    recipe = scripted_recipe("j1", tracker=TrackerSettings())
    route = shared_route(pipeline.resolve(pipeline.load("visdrone")), recipe, "videos", 8)

    assert route.found_in("car-frames") == ("cars",)
    assert route.found_in("person-frames") == ("people",)
    assert recipe.route.found_in("frames-main") is None


def test_the_event_of_a_job_goes_to_the_shared_topic():
    """On the partition of the job, whoever made it."""
    source = SourceRef(kind="video", name="a.mp4", key="videos/input/j1.mp4", index_key="i")
    job = Job("j1", "a", 5, request=requests.encode(Request(pipeline="detect", source=source)))

    event = addressed(8, native)(Outgoing("jobs", 0, "j1", b"{}"), job)

    assert (event.topic, event.partition, event.key) == (JOBS, partition_of("j1", 8), "j1")
    assert native(JOBS).decode_job(event.value).job_id == "j1"
