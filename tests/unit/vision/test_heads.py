"""Heads: outputs written by the book are read back as the boxes that they mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured
from sightline.types import Detections
from sightline.vision.heads import Decoder, Profile, Wanted

LABELS = ("person", "bicycle", "car", "truck")
WIDTH, HEIGHT = 96, 64
STRIDES = (8, 16, 32)
CELLS = sum((WIDTH // s) * (HEIGHT // s) for s in STRIDES)
ROWS = {"yolov8": CELLS, "yolov5": 3 * CELLS, "yolox": CELLS, "end2end": 50}
SUPPRESSING = ["yolov8", "yolov5", "yolox"]


def profile(head: str) -> Profile:
    return Profile("net", "0" * 64, LABELS, head)


def decoder(head: str, **wanted) -> Decoder:
    return Decoder(
        profile(head), Wanted(**{"class_ids": (0, 1, 2, 3), "conf": 0.25, **wanted}), WIDTH, HEIGHT
    )


def output(head: str, *objects) -> np.ndarray:
    """A network's output: in cell i the i-th object, a box xyxy and scores by class id."""
    raw = np.zeros((ROWS[head], 5 + len(LABELS)), np.float32)
    for cell, (xyxy, scores) in enumerate(objects):
        x1, y1, x2, y2 = xyxy
        raw[cell, :4] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        raw[cell, 4] = 1.0
        raw[cell, 5:] = [scores.get(class_id, 0.0) for class_id in range(len(LABELS))]
    if head == "yolox":
        raw[:, :4] = in_cells(raw[:, :4])
    elif head == "yolov8":
        return np.delete(raw, 4, axis=1).T[None]
    elif head == "end2end":
        raw = np.array([[*xyxy, max(s.values()), max(s, key=s.get)] for xyxy, s in objects], np.float32)
        return np.vstack([raw.reshape(-1, 6), np.zeros((10, 6), np.float32)])[None]
    return raw[None]


def in_cells(cxcywh):
    """The inverse of the decoding in YOLOX's `demo_utils.py`, `demo_postprocess`."""
    cells = [
        (column, row, stride)
        for stride in STRIDES
        for row in range(HEIGHT // stride)
        for column in range(WIDTH // stride)
    ]
    grid = np.array(cells, np.float64)
    with np.errstate(divide="ignore"):
        sides = np.log(cxcywh[:, 2:] / grid[:, 2:])
    return np.hstack([cxcywh[:, :2] / grid[:, 2:] - grid[:, :2], sides])


def rows(found: Detections):
    return [
        (box.round(3).tolist(), round(float(confidence), 5), int(class_id))
        for box, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True)
    ]


CAR = ([10, 20, 40, 50], {2: 0.75})
PERSON = ([60, 4, 70, 44], {0: 0.5})


class TestDecoding:
    @pytest.mark.parametrize("head", ROWS)
    def test_a_head_reads_what_the_book_writes(self, head):
        """Boxes in pixels of the picture, by falling confidence."""
        found = decoder(head)(output(head, PERSON, CAR))

        assert rows(found) == [([10, 20, 40, 50], 0.75, 2), ([60, 4, 70, 44], 0.5, 0)]
        assert found.xyxy.dtype == found.confidence.dtype == np.float64

    @given(
        head=st.sampled_from(SUPPRESSING),
        at=st.integers(0, CELLS - 1),
        left=st.integers(0, 60),
        top=st.integers(0, 30),
        side=st.integers(4, 30),
    )
    def test_every_cell_is_read(self, head, at, left, top, side):
        """Cells of all strides, in the network's order."""
        box = [left, top, left + side, top + side]
        empty = [([0, 0, 1, 1], {})] * at

        found = decoder(head)(output(head, *empty, (box, {1: 0.5})))

        assert len(found) == 1
        np.testing.assert_allclose(found.xyxy[0], box, atol=1e-4)

    @pytest.mark.parametrize("head", ["yolov5", "yolox"])
    def test_objectness_times_score_is_the_confidence(self, head):
        """As YOLOv5 and YOLOX define it."""
        raw = output(head, CAR)
        raw[0, 0, 4] = 0.5

        found = decoder(head)(raw)

        assert found.confidence.tolist() == [0.375]

    @pytest.mark.parametrize("head", ROWS)
    def test_nothing_gives_no_detections(self, head):
        """An empty street is not special."""
        assert len(decoder(head)(output(head, ([0, 0, 8, 8], {0: 0.01})))) == 0


class TestWanted:
    @pytest.mark.parametrize("head", SUPPRESSING)
    def test_a_class_nobody_asked_for_hides_nothing(self, head):
        """A cell that is more of a bicycle than of a person is a person to who asks for people."""
        cell = ([10, 20, 40, 50], {1: 0.9, 0: 0.6})

        found = decoder(head, class_ids=(0, 3))(output(head, cell, ([60, 4, 70, 44], {2: 0.9})))

        assert rows(found) == [([10, 20, 40, 50], 0.6, 0)]

    @pytest.mark.parametrize("head", SUPPRESSING)
    def test_equal_scores_are_of_the_lower_class(self, head):
        """A tie is not left to chance."""
        found = decoder(head, class_ids=(1, 3))(output(head, ([0, 0, 8, 8], {3: 0.5, 1: 0.5})))

        assert found.class_id.tolist() == [1]

    @pytest.mark.parametrize("head", ROWS)
    def test_the_threshold_itself_is_kept(self, head):
        """A confidence is kept from `conf` on."""
        raw = output(head, ([0, 0, 8, 8], {0: 0.25}), ([40, 0, 48, 8], {0: 0.2499}))

        assert decoder(head)(raw).confidence.tolist() == [0.25]

    @pytest.mark.parametrize("head", ROWS)
    def test_the_most_confident_boxes_are_kept(self, head):
        """`max_det` boxes at most, after suppression."""
        objects = [([9 * i, 0, 9 * i + 8, 8], {0: 0.3 + i / 20}) for i in range(6)]

        found = decoder(head, max_det=2)(output(head, *objects))

        assert found.confidence.round(2).tolist() == [0.55, 0.5]

    def test_a_class_the_model_lacks_is_an_error(self):
        """Before the first picture, not at the first box."""
        with pytest.raises(Misconfigured, match="class id 4 is not one of its 4 labels"):
            decoder("yolov8", class_ids=(0, 4))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"class_ids": ()},
            {"class_ids": (2, 1)},
            {"class_ids": (1, 1)},
            {"class_ids": (1,), "buckets": (0, 0)},
            {"class_ids": (1,), "conf": 0.0},
            {"class_ids": (1,), "iou": 1.1},
            {"class_ids": (1,), "max_det": 0},
        ],
    )
    def test_values_are_checked_at_construction(self, wrong):
        """A wrong value is found where it is written."""
        with pytest.raises(ValueError):
            Wanted(**wrong)

    def test_tracked_groups_share_a_bucket(self):
        """One for each group, in class id order; untracked classes have one each."""
        groups = {"cars": (2, 3), "people": (0,)}

        tracked = Wanted.of(groups, tracked=True, conf=0.1, iou=0.7)
        loose = Wanted.of(groups, tracked=False, conf=0.1, iou=0.7)

        assert (tracked.class_ids, tracked.buckets) == ((0, 2, 3), (1, 0, 0))
        assert (loose.class_ids, loose.buckets) == ((0, 2, 3), ())


class TestSuppression:
    SAME_PLACE = (([10, 20, 40, 50], {2: 0.75}), ([11, 20, 41, 50], {3: 0.5}))

    @pytest.mark.parametrize("head", SUPPRESSING)
    def test_classes_of_a_bucket_suppress_each_other(self, head):
        """A car that is also a truck is tracked once."""
        found = decoder(head, class_ids=(2, 3), buckets=(0, 0))(output(head, *self.SAME_PLACE))

        assert found.class_id.tolist() == [2]

    @pytest.mark.parametrize("head", SUPPRESSING)
    def test_classes_of_their_own_do_not(self, head):
        """The usual class-aware suppression."""
        found = decoder(head, class_ids=(2, 3))(output(head, *self.SAME_PLACE))

        assert found.class_id.tolist() == [2, 3]

    def test_an_end_to_end_network_has_done_it_itself(self):
        """Its boxes are not suppressed again."""
        twice = [([10, 20, 40, 50], {2: 0.75}), ([10, 20, 40, 50], {2: 0.5})]

        assert len(decoder("end2end")(output("end2end", *twice))) == 2


class TestWrongOutputs:
    @pytest.mark.parametrize("head", ROWS)
    def test_boxes_without_an_area_are_dropped(self, head):
        """Also those that are not numbers: a box is x2 > x1, y2 > y1, finite."""
        raw = output(head, ([30, 30, 30, 40], {0: 0.9}), CAR)
        broken = raw.copy()
        (broken[0, 0] if head == "yolov8" else broken[0, :, 0])[1] = np.nan

        assert len(decoder(head)(raw)) == 1
        assert len(decoder(head)(broken)) == 0

    def test_an_endless_box_is_dropped(self):
        """YOLOX's sides are logarithms: a wild one is not a warning, it is no box."""
        raw = output("yolox", CAR)
        raw[0, 0, 2] = 1000.0

        assert len(decoder("yolox")(raw)) == 0

    @pytest.mark.parametrize("head", ROWS)
    def test_scores_above_one_are_another_head(self, head):
        """Logits, or a column read as a score: said at once instead of tracked."""
        raw = output(head, ([0, 0, 8, 8], {0: 17.0}))

        with pytest.raises(Misconfigured, match=r"score of 17, expected 0\.\.1"):
            decoder(head)(raw)

    @pytest.mark.parametrize(
        ("head", "shape"),
        [
            ("yolov8", (1, CELLS, 8)),
            ("yolov8", (1, 84, CELLS)),
            ("yolov5", (1, 3 * CELLS, 85)),
            ("yolox", (1, CELLS + 1, 9)),
            ("end2end", (1, 300, 7)),
            ("end2end", (300, 6)),
        ],
    )
    def test_a_shape_that_is_not_the_heads_is_an_error(self, head, shape):
        """It names what was found and what the card means."""
        with pytest.raises(Misconfigured) as error:
            decoder(head).check(shape)

        assert str(shape) in str(error.value)
        assert repr(head) in str(error.value)

    @pytest.mark.parametrize("head", ROWS)
    def test_the_shape_of_its_own_output_is_accepted(self, head):
        """The check and the decoding mean the same layout."""
        decoder(head).check(output(head, CAR).shape)
