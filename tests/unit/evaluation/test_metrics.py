"""HOTA, CLEAR, identity and counts on scenes that can be done by hand."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Rejected
from sightline.evaluation import COMBINED, Boxes, evaluate
from sightline.evaluation.hota import ALPHAS
from sightline.evaluation.matching import iou, match, share_inside
from tests.unit.evaluation.scenes import boxes, scene, track, truths


def judged(truth, prediction, **changes):
    return evaluate([scene(truth, prediction, **changes)]).combined.figures()


@given(truths())
def test_a_perfect_prediction_has_perfect_figures(truth):
    """Every share is 1, nothing went wrong; a gap in the truth is a fragmentation, as TrackEval has it."""
    found = judged(truth, truth)

    shares = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR")
    assert [found[name] for name in shares] == pytest.approx([1] * len(shares))
    assert [found[name] for name in ("IDSW", "FP", "FN", "PT", "ML", "count_error")] == [0] * 6


@given(truths(), st.permutations(range(4)), st.randoms(use_true_random=False))
def test_names_of_ids_and_order_of_rows_do_not_matter(truth, names, random):
    """Only which boxes share an id matters."""
    prediction = [(frame, names[number] + 50, x + 3) for frame, number, x in truth]
    shuffled = random.sample(prediction, len(prediction))

    assert judged(truth, shuffled) == judged(truth, [(f, i, x + 3) for f, i, x in truth])


def test_a_switch_of_identity_costs_association_not_detection():
    """Ten frames, a new id in the middle: one switch, half of the boxes under the one right id."""
    found = judged(track(1, range(10)), [*track(1, range(5)), *track(2, range(5, 10))])

    assert found["IDSW"] == 1
    assert found["MOTA"] == pytest.approx(0.9)
    assert found["IDF1"] == pytest.approx(0.5)
    assert found["DetA"] == 1
    assert found["AssA"] == pytest.approx(0.5)
    assert found["HOTA"] == pytest.approx(0.5**0.5)
    assert (found["true"], found["counted"], found["count_error"]) == (1, 2, 1)


def test_a_gap_is_a_fragmentation_and_no_switch():
    """The id comes back; the other object keeps the frames from being empty."""
    other = track(2, range(10), x=500)
    gap = [*track(7, range(4)), *track(7, range(6, 10))]

    found = judged([*track(1, range(10)), *other], [*gap, *other])

    assert (found["Frag"], found["IDSW"], found["FN"], found["FP"]) == (1, 0, 2, 0)
    assert (found["MT"], found["PT"], found["ML"]) == (1, 1, 0)


def test_a_frame_without_predictions_does_not_end_a_pair():
    """As in TrackEval, the pair of the last frame that had both boxes is kept."""
    truth = track(1, range(3))
    closer = [(0, 5, 2), (2, 5, 2), (2, 6, 0)]

    found = judged(truth, closer)

    assert found["IDSW"] == 0
    assert found["Frag"] == 0


def test_overlap_decides_at_which_alphas_a_box_counts():
    """A box moved by 2 of 10 pixels overlaps by 2/3: found at the 13 alphas up to 0.65."""
    found = judged(track(1, range(4)), track(1, range(4), x=2))

    assert found["DetA"] == pytest.approx(13 / 19)
    assert found["HOTA"] == pytest.approx(13 / 19)
    assert found["MOTP"] == pytest.approx(2 / 3)
    assert len(ALPHAS) == 19


def test_below_half_an_overlap_nothing_is_found():
    """Moved by 4 of 10 pixels the IoU is 3/7: every box is a miss and a false alarm."""
    found = judged(track(1, range(4)), track(1, range(4), x=4))

    assert (found["FN"], found["FP"], found["MOTA"], found["IDF1"]) == (4, 4, -1, 0)
    assert found["HOTA"] > 0


@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        (track(1, range(3)), [], {"FN": 3, "FP": 0, "MOTA": 0, "HOTA": 0, "ML": 1, "count_error": 1}),
        ([], track(1, range(3)), {"FN": 0, "FP": 3, "MOTA": 0, "HOTA": 0, "IDF1": 0, "count_error": 1}),
        ([], [], {"FN": 0, "FP": 0, "MOTA": 0, "HOTA": 0, "LocA": 1, "count_error": 0}),
    ],
)
def test_nothing_to_find_or_nothing_found(truth, prediction, expected):
    """No division by zero."""
    found = judged(truth, prediction)

    assert {name: found[name] for name in expected} == expected


def test_objects_count_once_they_were_seen_often_enough():
    """An id of two frames is no object where three are asked for; it is an id."""
    prediction = [*track(1, range(9)), *track(2, range(2), x=500)]

    found = judged(track(1, range(9)), prediction, min_hits=3)

    assert (found["true"], found["counted"], found["ids"], found["count_error"]) == (1, 1, 2, 0)


def test_sequences_are_combined_by_their_sums():
    """A long sequence weighs more than a short one; errors of the count do not cancel out."""
    long = scene(track(1, range(9)), track(1, range(9)), "long")
    short = scene(track(1, [0]), [], "short")
    double = scene([(0, 1, 0)], [(0, 1, 0), (0, 2, 50)], "double")

    report = evaluate([long, short, double])
    found = report.combined.figures()

    assert [row.name for row in report.rows] == ["long", "short", "double"]
    assert report.combined.name == COMBINED
    assert found["MOTA"] == pytest.approx((11 - 1 - 1) / 11)
    assert (found["true"], found["counted"], found["count_error"]) == (3, 3, pytest.approx(2 / 3))


def test_what_cannot_be_judged_is_rejected():
    """No sequences, two of a name, an object with two boxes."""
    one = scene(track(1, [0]), track(1, [0]))

    with pytest.raises(Rejected, match="no sequences"):
        evaluate([])
    with pytest.raises(Rejected, match="two sequences are called scene"):
        evaluate([one, one])
    with pytest.raises(Rejected, match=r"scene: prediction: id 4 has several boxes in frame 2"):
        evaluate([scene(track(1, [0]), [(2, 4, 0), (2, 4, 50)])])


def test_columns_of_different_lengths_are_refused():
    """A table is a table."""
    with pytest.raises(ValueError, match="columns"):
        Boxes.of([0, 1], [1], np.zeros((2, 4)))


def test_boxes_without_area_overlap_nothing():
    """Not even themselves."""
    point = np.array([[1.0, 1, 1, 1]])
    box = np.array([[0.0, 0, 2, 2]])

    assert iou(point, point).tolist() == [[0]]
    assert iou(box, point).tolist() == [[0]]
    assert iou(box, box).tolist() == [[1]]
    assert iou(np.empty((0, 4)), box).shape == (0, 1)


def test_matching_takes_the_best_total_above_the_threshold():
    """Greedy would take 0.9 and lose the second pair."""
    rows, columns = match(np.array([[0.9, 0.8], [0.7, 0.4]]), 0.5)

    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


corners = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(corners, max_size=5), corners)
def test_the_share_inside_regions_is_that_of_their_union(regions, box):
    """Counted pixel by pixel; regions may overlap."""
    table = np.array([(x, y, x + w, y + h) for x, y, w, h in regions], float).reshape(-1, 4)
    pixels = np.zeros((12, 12), bool)
    for x, y, w, h in regions:
        pixels[y : y + h, x : x + w] = True
    x, y, w, h = box

    share = share_inside(np.array([[x, y, x + w, y + h]], float), table)[0]

    assert share == pytest.approx(pixels[y : y + h, x : x + w].mean() if w * h else 0)


def test_importing_the_metrics_does_not_load_scipy():
    """SciPy costs more than the rest of the package and is imported where it is used."""
    code = "import sys, sightline.evaluation, sightline.formats.registry; sys.exit('scipy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_boxes_keep_their_columns_together():
    """Sorting by frame moves whole rows and keeps the order inside a frame."""
    rows = boxes((2, 1, 0), (0, 9, 5), (2, 0, 7)).by_frame()

    assert rows.frame.tolist() == [0, 2, 2]
    assert rows.object_id.tolist() == [9, 1, 0]
    assert rows.xyxy[:, 0].tolist() == [5, 0, 7]
