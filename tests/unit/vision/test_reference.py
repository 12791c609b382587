"""What a sure box of a network scores in a video."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.vision.reference import NO_SCORES, SURE, reference, score_counts

scores = hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(0, 1))


def test_a_crowd_of_doubtful_boxes_weighs_little():
    """Three times as many low boxes do not hide what sure ones score."""
    confidence = np.array([0.1] * 300 + [0.65] * 50 + [0.7] * 50)

    assert reference(score_counts(confidence)) == 0.7


def test_a_network_that_scores_lower_has_a_lower_reference():
    """Thresholds follow it in proportion."""
    confidence = np.linspace(0.5, 0.95, 200)

    high, low = (reference(score_counts(factor * confidence)) for factor in (1.0, 0.6))

    assert abs(low - 0.6 * high) <= 0.01


def test_doubtful_boxes_alone_are_no_objects():
    """It never falls so far that what a network is least sure of counts as sure."""
    assert reference(score_counts(np.full(1000, 0.12))) == 0.4


def test_no_box_no_scale():
    """Thresholds are then those of ByteTrack."""
    assert reference(NO_SCORES) == reference(score_counts(np.zeros(5))) == SURE


@given(scores, st.integers(0, 60))
def test_confidences_are_counted_in_any_order_and_in_any_parts(confidence, cut):
    """A fold: the same counts however the frames came, and a reference within its bounds."""
    parts = score_counts(confidence[:cut]) + score_counts(confidence[cut:])

    assert np.array_equal(parts, score_counts(confidence[::-1]))
    assert parts.sum() == len(confidence)
    assert 0.4 <= reference(parts) <= 1
