"""Non-maximum suppression, by the textbook and by its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.vision import nms as module
from sightline.vision.boxes import iou
from sightline.vision.nms import nms


def by_definition(xyxy, confidence, bucket, threshold):
    """Greedy suppression, pair by pair."""
    order = sorted(range(len(xyxy)), key=lambda row: (-confidence[row], row))
    overlap = iou(xyxy, xyxy)
    kept: list[int] = []
    for row in order:
        if not any(bucket[row] == bucket[k] and overlap[row, k] > threshold for k in kept):
            kept.append(row)
    return kept


@st.composite
def scenes(draw, most=24):
    """Boxes on a grid of quarter pixels, with ties, in up to three buckets."""
    n = draw(st.integers(0, most))
    number = st.integers(-40, 160).map(lambda value: value / 4)
    side = st.integers(1, 80).map(lambda value: value / 4)
    corner = draw(st.lists(st.tuples(number, number, side, side), min_size=n, max_size=n))
    confidence = draw(st.lists(st.sampled_from([0.25, 0.5, 0.75, 0.9]), min_size=n, max_size=n))
    bucket = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    xyxy = np.array([(x, y, x + w, y + h) for x, y, w, h in corner], dtype=np.float64).reshape(-1, 4)
    return xyxy, np.array(confidence, dtype=np.float64), np.array(bucket, dtype=np.int64)


# Irrational thresholds: no overlap of such boxes lies exactly on them, where rounding decides.
THRESHOLDS = [np.sqrt(0.2), np.sqrt(0.5)]


class TestSuppression:
    @given(scene=scenes(), threshold=st.sampled_from(THRESHOLDS))
    def test_it_keeps_what_its_definition_keeps(self, scene, threshold):
        """A box stays unless a better one that stays overlaps it within its bucket."""
        kept = nms(*scene, threshold)

        assert kept.tolist() == by_definition(*scene, threshold)

    @given(scene=scenes(), threshold=st.sampled_from(THRESHOLDS))
    def test_both_ways_keep_the_same(self, scene, threshold):
        """Few boxes are compared by pairs, many by rows: the number of boxes is not part of the result."""
        xyxy, confidence, bucket = scene
        if not len(xyxy):
            return
        order = np.argsort(-confidence, kind="stable")
        apart = module._apart(xyxy[order], bucket[order])

        pairs, rows = (way(apart, threshold, None) for way in (module._by_pairs, module._by_rows))

        assert pairs.tolist() == rows.tolist()

    @given(scene=scenes(), limit=st.integers(1, 8))
    def test_a_limit_keeps_the_most_confident(self, scene, limit):
        """The limit counts after suppression."""
        assert nms(*scene, 0.5, limit).tolist() == nms(*scene, 0.5)[:limit].tolist()

    def test_thousands_of_boxes_are_suppressed_too(self):
        """More than fit the way by pairs: 2,000 places, each with a better and a worse box."""
        rng = np.random.default_rng(3)
        corner = np.stack(np.divmod(np.arange(2000), 50), axis=1) * 100.0
        xyxy = np.vstack([np.hstack([corner, corner + 80]), np.hstack([corner + 1, corner + 81])])
        confidence = np.concatenate([rng.uniform(0.5, 0.9, 2000), rng.uniform(0.1, 0.4, 2000)])

        kept = nms(xyxy, confidence, np.zeros(4000, np.int64), 0.5)

        assert len(xyxy) > module.PAIRED_BOXES
        assert sorted(kept) == list(range(2000))
        assert (np.diff(confidence[kept]) <= 0).all()


class TestDetails:
    def test_no_boxes_give_no_rows(self):
        """An empty picture is not special."""
        none = nms(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64), 0.5)

        assert none.tolist() == []

    def test_equal_confidences_keep_their_order(self):
        """Ties do not depend on a sort's whim."""
        xyxy = np.array([[0.0, 0, 10, 10], [100, 0, 110, 10], [0, 0, 10, 10]])

        kept = nms(xyxy, np.array([0.5, 0.5, 0.5]), np.zeros(3, np.int64), 0.5)

        assert kept.tolist() == [0, 1]

    @pytest.mark.parametrize(("threshold", "expected"), [(0.49, [0]), (0.5, [0, 1])])
    def test_an_overlap_of_just_the_threshold_stays(self, threshold, expected):
        """Suppressed is what exceeds the threshold, as in torchvision."""
        xyxy = np.array([[0.0, 0, 4, 4], [0, 0, 4, 8]])  # overlap exactly one half

        kept = nms(xyxy, np.array([0.9, 0.8]), np.zeros(2, np.int64), threshold)

        assert kept.tolist() == expected

    def test_classes_of_one_group_suppress_each_other(self):
        """A vehicle that is a car and a truck at once is one vehicle; the person on it is another object."""
        car, truck, person = [0.0, 0, 100, 50], [2.0, 0, 101, 50], [0.0, 0, 100, 52]
        confidence = np.array([0.8, 0.7, 0.6])

        kept = nms(np.array([car, truck, person]), confidence, np.array([0, 0, 1]), 0.7)

        assert kept.tolist() == [0, 2]
