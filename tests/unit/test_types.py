"""`Detections`: what its docstring promises is checked, whatever it is made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline as sl
from sightline.types import InvalidDetections

NAN, INF = float("nan"), float("inf")


class Tensor:
    """An array of another library, which hands its numbers over through `__array__`."""

    def __init__(self, values, fails: Exception | None = None) -> None:
        self._values, self._fails = np.asarray(values), fails

    def __array__(self, dtype=None, copy=None):
        if self._fails is not None:
            raise self._fails
        return self._values if dtype is None else self._values.astype(dtype)


def made(xyxy=((0, 0, 4, 4), (1, 1, 3, 2)), confidence=(0.9, 0.5), class_id=(0, 1)) -> sl.Detections:
    return sl.Detections(xyxy, confidence, class_id)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"xyxy": [[0, 0, 4, 4], [0, NAN, 4, 4]]}, r"xyxy\[1\] = \[0.0, nan, 4.0, 4.0\]: not finite"),
        ({"xyxy": [[0, 0, INF, 4], [0, 0, 4, 4]]}, r"xyxy\[0\].*not finite"),
        ({"xyxy": [[-INF, 0, INF, 4], [0, 0, 4, 4]]}, r"xyxy\[0\].*not finite"),
        ({"xyxy": [[0, 0, 4, 4], [300, 200, 50, 240]]}, r"xyxy\[1\].*x2 = x \+ width"),
        ({"xyxy": [[0, 9, 4, 4], [0, 0, 4, 4]]}, r"xyxy\[0\].*y2 < y1"),
        ({"xyxy": [0, 0, 4, 4]}, r"xyxy: shape \(4,\), expected \(N, 4\)"),
        ({"xyxy": np.zeros((2, 5))}, r"xyxy: shape \(2, 5\)"),
        ({"xyxy": [[0, 0, 4, 4], [0, 0, 4]]}, "xyxy cannot be read as numbers"),
        ({"xyxy": [["a", "b", "c", "d"]] * 2}, "xyxy holds .*, expected numbers"),
        ({"xyxy": None}, "xyxy is None"),
        ({"xyxy": Tensor(0, TypeError("cuda:0 device type tensor"))}, "xyxy cannot be read.*cuda:0"),
        ({"xyxy": Tensor(0, RuntimeError("requires grad"))}, "xyxy cannot be read.*requires grad"),
        ({"confidence": [0.9, 90]}, r"confidence\[1\] = 90.0: expected 0 to 1; divide percent by 100"),
        ({"confidence": [-0.5, 0.9]}, r"confidence\[0\] = -0.5"),
        ({"confidence": [0.9, NAN]}, r"confidence\[1\] = nan: not finite"),
        ({"confidence": [INF, 0.9]}, r"confidence\[0\] = inf: not finite"),
        ({"confidence": [0.9]}, "confidence: 1 rows, expected 2"),
        ({"confidence": 0.9}, r"confidence: shape \(\)"),
        ({"confidence": [[0.9], [0.5]]}, r"confidence: shape \(2, 1\)"),
        ({"confidence": None}, "confidence is None"),
        ({"confidence": [True, False]}, "confidence holds bool"),
        ({"class_id": [0, 0.5]}, r"class_id\[1\] = 0.5: expected a whole number"),
        ({"class_id": [NAN, 0]}, r"class_id\[0\] = nan: expected a whole number"),
        ({"class_id": [0, -1]}, r"class_id\[1\] = -1: expected an index of the labels"),
        ({"class_id": np.array([0, 2**64 - 1], np.uint64)}, r"class_id\[1\] = 18446744073709551615"),
        ({"class_id": ["car", "van"]}, "class_id holds <U3, expected numbers"),
        ({"class_id": [0, 1, 2]}, "class_id: 3 rows, expected 2"),
        ({"class_id": None}, "class_id is None"),
    ],
)
def test_what_cannot_be_detections_is_refused(wrong, says):
    """The message names the row, its value and what was expected."""
    with pytest.raises(InvalidDetections, match=says):
        made(**wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"xyxy": [[-5, -5, 900, 900], [3, 3, 3, 3]]},
        {"confidence": [0, 1]},
        {"confidence": np.array([0.5, 0.25], np.float16)},
        {"class_id": [0.0, 7.0]},
        {"class_id": np.array([1, 2], np.uint8)},
        {
            "xyxy": Tensor([[0, 0, 4, 4], [1, 1, 3, 2]]),
            "confidence": Tensor([0.5, 0.5]),
            "class_id": Tensor([0, 1]),
        },
        {"xyxy": np.zeros((0, 4)), "confidence": [], "class_id": []},
        {"xyxy": [], "confidence": (), "class_id": np.empty(0)},
    ],
)
def test_any_numbers_that_keep_the_promises_are_taken(right):
    """Lists, tuples, any dtype, arrays of other libraries; a box may reach beyond the picture or have no area."""
    found = made(**right)

    assert (found.xyxy.dtype, found.confidence.dtype, found.class_id.dtype) == (
        np.float64,
        np.float64,
        np.int64,
    )
    assert found.xyxy.shape == (len(found), 4)


NUMBER = st.floats(width=64) | st.sampled_from([0.0, 0.5, 1.0, 4.0])


@given(st.lists(st.tuples(*[NUMBER] * 6), max_size=4))
def test_nothing_else_is_a_detection(rows):
    """Any numbers at all: refused, or all promises hold."""
    table = np.array(rows, float).reshape(-1, 6)
    try:
        found = sl.Detections(table[:, :4], table[:, 4], table[:, 5])
    except InvalidDetections:
        return

    x1, y1, x2, y2 = found.xyxy.T
    assert np.isfinite(found.xyxy).all()
    assert ((x2 >= x1) & (y2 >= y1)).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert (found.class_id >= 0).all()
    assert found.class_id.tolist() == table[:, 5].tolist()


def test_rows_of_detections_are_detections():
    """Masks, places and slices; read-only like the whole."""
    found = made()

    for rows in (found.confidence > 0.6, np.array([0]), slice(0, 1)):
        assert found[rows] == sl.Detections([[0, 0, 4, 4]], [0.9], [0])
        assert not found[rows].xyxy.flags.writeable


def test_a_confidence_that_float32_rounded_above_one_is_one():
    """A network's sigmoid gives it; percent are far from it."""
    found = sl.Detections([[10, 10, 60, 60]], np.array([1.0000001], np.float32), [0])

    assert found.confidence.tolist() == [1.0]
    with pytest.raises(InvalidDetections):
        sl.Detections([[10, 10, 60, 60]], [1.0001], [0])
