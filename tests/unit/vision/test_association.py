"""Who belongs to whom."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sightline.vision.association import MANY_PAIRS, assign, candidates, choose, upright


def pairs_of(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(gain)
    return rows, columns, gain[rows, columns]


def matrices():
    """Gains with many zeros and many equal values."""
    entry = st.sampled_from([0.0, 0.0, 0.25, 0.5, 0.75])
    shape = st.tuples(st.integers(1, 5), st.integers(1, 5))
    return shape.flatmap(
        lambda s: st.lists(entry, min_size=s[0] * s[1], max_size=s[0] * s[1]).map(lambda v: np.reshape(v, s))
    ).filter(np.any)


def best_sum(gain: np.ndarray) -> float:
    """The largest sum, by trying everything."""
    wide = np.hstack([gain, np.zeros((len(gain), len(gain)))])
    return max(
        sum(wide[row, column] for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(wide.shape[1]), len(wide))
    )


@given(matrices().filter(lambda gain: gain.size <= 12))
def test_no_choice_has_a_larger_sum(gain):
    """The assignment is the best of all, each row and column at most once, sorted by row."""
    rows, columns = assign(*pairs_of(gain))

    assert (np.diff(rows) > 0).all()
    assert len(set(columns.tolist())) == len(columns)
    assert gain[rows, columns].sum() == best_sum(gain)
    assert (gain[rows, columns] > 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_solved_like_the_whole(seed):
    """So many rivals that they are split give the same sum as one dense assignment."""
    rng = np.random.default_rng(seed)
    blocks = [rng.random((rng.integers(1, 7), rng.integers(1, 7))) for _ in range(120)]
    gain = np.zeros((sum(len(b) for b in blocks), sum(b.shape[1] for b in blocks)))
    at = np.zeros(2, int)
    for block in blocks:
        gain[at[0] : at[0] + block.shape[0], at[1] : at[1] + block.shape[1]] = block
        at += block.shape
    gain = gain[rng.permutation(len(gain))][:, rng.permutation(gain.shape[1])]
    assert np.count_nonzero(gain) > 4 * MANY_PAIRS

    rows, columns = assign(*pairs_of(gain))

    best = linear_sum_assignment(gain, maximize=True)
    real = gain[best] > 0
    assert np.array_equal(rows, best[0][real])
    assert np.array_equal(columns, best[1][real])


def test_the_pair_with_the_best_overlap_may_have_to_yield():
    """Two good matches are worth more than the best one alone."""
    rows, columns = assign(*pairs_of(np.array([[0.9, 0.8], [0.85, 0.0]])))

    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 2), (3, 2), (2, 3)])
def test_equal_costs_fall_to_the_lower_row_and_column(shape):
    """Among equals the first track gets the first detection."""
    rows, columns = assign(*pairs_of(np.full(shape, 0.5)))

    expected = list(range(min(shape)))
    assert (rows.tolist(), columns.tolist()) == (expected, expected)


def test_the_limit_belongs_into_the_assignment():
    """Assigning first and applying the limit afterwards would match track 0 worse, for a pair that is not allowed.

    0.45 + 0.09 is more than 0.5, but the limit of 0.9 forbids the pair that gains 0.09.
    """
    box = np.array([[0.0, 0, 9, 9]] * 2)
    similarity = np.array([[0.5, 0.45], [0.09, 0.0]])

    rows, columns = choose(candidates(box, box), similarity.ravel(), 0.9, np.ones(2, bool), np.ones(2, bool))

    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_who_does_not_take_part_is_not_matched():
    """The masks of tracks and detections hold."""
    box = np.array([[0.0, 0, 9, 9]] * 2)
    pairs = candidates(box, box)

    rows, columns = choose(pairs, pairs.iou, 0.9, np.array([False, True]), np.array([True, False]))

    assert (rows.tolist(), columns.tolist()) == ([1], [0])


def test_a_cost_at_the_limit_is_not_allowed():
    """A pair needs a cost below the limit."""
    pairs = candidates(np.array([[0.0, 0, 2, 1]]), np.array([[1.0, 0, 2, 1]]))
    every = np.ones(1, bool)

    assert len(choose(pairs, pairs.iou, 0.5, every, every)[0]) == 0
    assert len(choose(pairs, pairs.iou, 0.51, every, every)[0]) == 1


def test_standing_behind_each_other_makes_less_alike():
    """The vertical share of boxes that stand alike is 1, of one half as high its root."""
    tracks, found = np.array([[0.0, 0, 10, 100]]), np.array([[4.0, 0, 14, 100], [0, 50, 10, 100]])
    pairs = candidates(tracks, found)

    assert upright(pairs, tracks, found) == pytest.approx([1, np.sqrt(0.5)])
