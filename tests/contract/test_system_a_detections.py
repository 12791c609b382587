"""System A's detectors and trackers, a row of the contract at a time: labels, thresholds, one look for both groups."""

import subprocess
import sys

import numpy as np
import pytest

from sightline import pipeline
from sightline.errors import Misconfigured
from sightline.events import Sampled
from sightline.pipeline import Overrides, class_ids, resolve
from sightline.stages.detect import Detect
from sightline.vision.coco import COCO
from sightline.vision.heads import Decoder, Profile, Wanted

pytestmark = pytest.mark.contract

# Model labels of VisDrone: annotation id - 1.
VISDRONE = (
    "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle", "awning-tricycle", "bus", "motor",
)  # fmt: skip
WIDTH, HEIGHT = 320, 320
CELLS = 40 * 40 + 20 * 20 + 10 * 10  # of strides 8, 16, 32


@pytest.fixture
def loaded():
    return pipeline.load("visdrone")


@pytest.fixture
def resolved(loaded):
    return resolve(loaded, None, Overrides(), "track")


def test_detections_are_of_these_labels(loaded):
    """Cars = car, van, truck; people = pedestrian, people, and person; ids are the annotation's less one."""
    groups = class_ids(loaded.groups, VISDRONE)

    assert groups == {"cars": (3, 4, 5), "people": (0, 1)}
    assert class_ids(loaded.groups, COCO) == {"cars": (2, 7), "people": (0,)}


@pytest.mark.parametrize("labels", [("person", "dog"), ("car", "bus"), ("fish",)])
def test_detections_of_a_model_without_a_group_are_refused(loaded, labels):
    """The message names both lists."""
    with pytest.raises(Misconfigured) as caught:
        class_ids(loaded.groups, labels)

    assert caught.value.code == "no_label"
    assert ", ".join(labels) in caught.value.message
    assert any(", ".join(words) in caught.value.message for words in loaded.groups.values())


def test_detections_have_system_a_s_thresholds(resolved):
    """0.25 for what is an object, from 0.1 on for the second association, IoU 0.7, 300 boxes, every frame."""
    branch = resolved.detector()

    assert (branch.conf, branch.iou, branch.max_det) == (0.1, 0.7, 300)
    assert resolved.object_conf == 0.25
    assert (resolved.stride, resolved.preprocess, resolved.dialect) == (1, "none", "a")


def test_tracks_have_system_a_s_thresholds(resolved):
    """ByteTrack with 0.25, 0.1, 0.25, 0.8, 30 sampled frames, score fusion; nothing is refined."""
    tracker = resolved.tracker

    assert tracker.mode == "bytetrack"
    thresholds = (tracker.track_high_thresh, tracker.track_low_thresh, tracker.new_track_thresh)
    assert thresholds == (0.25, 0.1, 0.25)
    assert (tracker.match_thresh, tracker.track_buffer, tracker.fuse_score) == (0.8, 30, True)
    assert not resolved.refine


def test_tracks_take_thresholds_of_a_model_s_card(loaded):
    """Its `high` and `new` win over the file's."""
    card = pipeline.Card(high=0.6, new=0.7)
    tracker = resolve(loaded, card, Overrides(), "track").tracker

    assert (tracker.track_high_thresh, tracker.new_track_thresh, tracker.track_low_thresh) == (0.6, 0.7, 0.1)


def looked(resolved, *cells):
    """What each group gets of a picture, in whose cells the network saw these boxes and scores by label."""
    raw = np.zeros((CELLS, 4 + len(VISDRONE)), np.float32)
    for cell, ((x1, y1, x2, y2), scores) in enumerate(cells):
        raw[cell, :4] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        for label, score in scores.items():
            raw[cell, 4 + VISDRONE.index(label)] = score
    groups, branch = class_ids(resolved.groups, VISDRONE), resolved.detector()
    wanted = Wanted.of(groups, tracked=True, conf=branch.conf, iou=branch.iou, max_det=branch.max_det)
    decoder = Decoder(Profile("net", "0" * 64, VISDRONE, "yolov8"), wanted, WIDTH, HEIGHT)
    frame = Sampled("j", "frames:main", 0, 0, 0, row=0, tick=0, chunk=0, first=0, end=1, first_tick=0)
    records = Detect(None, groups).found(frame, decoder(raw.T[None]))
    return {
        record.stream.partition(":")[2]: [
            (VISDRONE[class_id], round(float(confidence), 2))
            for class_id, confidence in zip(
                record.detections.class_id, record.detections.confidence, strict=True
            )
        ]
        for record in records
    }


BOX, FAR = (10, 20, 40, 50), (60, 4, 70, 44)


def test_detections_of_a_cell_are_of_one_group(resolved):
    """A cell with car .40, person .15 is a car, not a person as well: each detector decodes the union and keeps its own."""
    assert looked(resolved, (BOX, {"car": 0.4, "people": 0.15})) == {"cars": [("car", 0.4)], "people": []}
    assert looked(resolved, (BOX, {"car": 0.15, "people": 0.4})) == {"cars": [], "people": [("people", 0.4)]}


def test_detections_of_both_groups_come_of_one_look(resolved):
    """An empty group is a record too (defect A6)."""
    both = looked(resolved, (BOX, {"van": 0.8}), (FAR, {"pedestrian": 0.12}))

    assert both == {"cars": [("van", 0.8)], "people": [("pedestrian", 0.12)]}
    assert looked(resolved) == {"cars": [], "people": []}


def test_detections_of_labels_in_no_group_are_not_kept(resolved):
    """Nor do they take the place of others."""
    found = looked(resolved, (BOX, {"bus": 0.9, "truck": 0.3}), (FAR, {"motor": 0.9}))

    assert found == {"cars": [("truck", 0.3)], "people": []}


def test_detections_share_the_three_hundred_boxes(resolved):
    """At most 300 of both groups together, the most confident ones."""
    places = [(x, y, x + 6, y + 6) for y in range(0, 320, 16) for x in range(0, 320, 16)]
    cells = [(place, {"car": 0.5} if n % 2 else {"people": 0.6}) for n, place in enumerate(places)]

    found = looked(resolved, *cells)

    assert len(places) == 400
    assert {group: len(boxes) for group, boxes in found.items()} == {"cars": 100, "people": 200}


def test_tracks_are_made_by_our_own_code():
    """Defect A10: an unpinned tracker broke at import. No foreign one is loaded."""
    said = "import sys, sightline.vision.bytetrack, sightline.stages.track; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "sightline" in loaded
    assert loaded.isdisjoint(
        {"bytetracker", "lap", "lapx", "supervision", "trackers", "ultralytics", "yolox"}
    )
