"""Anchors in parts: whole tracks, few rows at a time, whichever are asked for."""

import numpy as np
import pytest

from sightline.types import Origin, TrackTable
from sightline.vision import foot_paths
from sightline.vision.foot_paths import FootPaths, anchors_of, parts

from .made_tracks import rows, table

LENGTHS = (3, 1, 7, 2, 5, 4)


@pytest.fixture
def anchors():
    """Six tracks that begin together, each a pixel to the right of the one before, and a pixel down a frame."""
    made = [rows(n + 1, range(length), lambda seq, n=n: (n, seq)) for n, length in enumerate(LENGTHS)]
    return anchors_of(table(*made), np.ones(6, bool), 1000, 1000)


def test_parts_are_whole_tracks_of_few_rows(anchors, monkeypatch):
    """At most so many rows, and those of one more track; each track that is asked for comes once."""
    monkeypatch.setattr(foot_paths, "PART", 4)
    which = np.array([True, True, True, False, True, True])

    found = [part.tolist() for part in parts(anchors, which)]

    assert [n for part in found for n in part] == [0, 1, 2, 4, 5]
    assert all(sum(LENGTHS[n] for n in part[:-1]) <= 4 for part in found)
    assert len(found) > 2


def test_tracks_without_rows_are_in_no_part():
    """They do not count."""
    tracks = table(rows(1, range(3)), rows(2, range(3), origin=Origin.BIRTH), rows(3, range(3)))
    anchors = anchors_of(tracks, np.array([True, False, True]), 100, 100)

    assert [part.tolist() for part in parts(anchors, np.ones(3, bool))] == [[0, 2]]
    assert list(parts(anchors, np.array([False, True, False]))) == []
    assert list(parts(anchors_of(TrackTable.empty(), np.ones(0, bool), 9, 9), np.ones(0, bool))) == []


@pytest.mark.parametrize("places", [[0], [2], [1, 2, 3], [0, 2, 5], [0, 1, 2, 3, 4, 5], [4, 5]])
def test_paths_hold_the_rows_of_their_tracks(anchors, places):
    """Together in the file or apart."""
    paths = FootPaths.of(anchors, np.array(places))
    every = np.arange(len(paths))

    assert paths.x.tolist() == [float(n) for n in places for _ in range(LENGTHS[n])]
    assert paths.seq(every).tolist() == [seq for n in places for seq in range(LENGTHS[n])]
    assert [places[k] for k in paths.number(every)] == [n for n in places for _ in range(LENGTHS[n])]
    assert (paths.ends - paths.starts).tolist() == [LENGTHS[n] for n in places]
    assert np.flatnonzero(paths.first).tolist() == paths.starts.tolist()
    assert (paths.size(every) == paths.largest).all()


def test_paths_of_tracks_that_lie_together_are_no_copy(anchors):
    """So that memory does not grow with what is mapped."""
    assert np.shares_memory(FootPaths.of(anchors, np.arange(6)).x, anchors.x)
    assert np.shares_memory(FootPaths.of(anchors, np.array([2, 3])).y, anchors.y)
