"""Heads: outputs written by the book are read back as the boxes that they mean."""

from dataclasses import replace

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
ROWS = {
    "yolov8": CELLS,
    "yolov5": 3 * CELLS,
    "yolox": CELLS,
    "yolox-decoded": CELLS,
    "end2end": 50,
    "rtdetr": 30,
    "detr": 30,
    "detr-deployed": 50,
}
SUPPRESSING = ["yolov8", "yolov5", "yolox", "yolox-decoded"]
CLASS_EACH = [*SUPPRESSING, "rtdetr", "detr"]  # a score for each class


def profile(head: str) -> Profile:
    return Profile("net", "0" * 64, LABELS, head)


def decoder(head: str, **wanted) -> Decoder:
    return Decoder(
        profile(head), Wanted(**{"class_ids": (0, 1, 2, 3), "conf": 0.25, **wanted}), WIDTH, HEIGHT
    )


def outputs(head: str, *objects) -> tuple[np.ndarray, ...]:
    """A network's outputs: in cell i the i-th object, a box xyxy and scores by class id."""
    raw = np.zeros((ROWS[head], 5 + len(LABELS)), np.float32)
    for cell, (xyxy, scores) in enumerate(objects):
        x1, y1, x2, y2 = xyxy
        raw[cell, :4] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        raw[cell, 4] = 1.0
        raw[cell, 5:] = [scores.get(class_id, 0.0) for class_id in range(len(LABELS))]
    if head == "yolox":
        raw[:, :4] = in_cells(raw[:, :4])
    elif head == "yolov8":
        raw = np.delete(raw, 4, axis=1).T
    elif head in ("rtdetr", "detr"):
        raw[:, :4] /= [WIDTH, HEIGHT, WIDTH, HEIGHT]
        if head == "detr":
            return logits(raw[None, :, 5:]), raw[None, :, :4]
        raw = np.delete(raw, 4, axis=1)
    elif head in ("end2end", "detr-deployed"):
        raw = np.array([[*xyxy, max(s.values()), max(s, key=s.get)] for xyxy, s in objects], np.float32)
        raw = np.vstack([raw.reshape(-1, 6), np.zeros((10, 6), np.float32)])
        if head == "detr-deployed":
            return raw[None, :, 5].astype(np.int64), raw[None, :, :4], raw[None, :, 4]
    return (raw[None],)


def logits(probabilities: np.ndarray) -> np.ndarray:
    """The inverse of the sigmoid; -20 for a probability of 0."""
    safe = np.clip(probabilities.astype(np.float64), 2e-9, 1 - 1e-9)
    return np.log(safe / (1 - safe)).astype(np.float32)


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
        found = decoder(head)(*outputs(head, PERSON, CAR))

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

        found = decoder(head)(*outputs(head, *empty, (box, {1: 0.5})))

        assert len(found) == 1
        np.testing.assert_allclose(found.xyxy[0], box, atol=1e-4)

    @pytest.mark.parametrize("head", ["yolov5", "yolox", "yolox-decoded"])
    def test_objectness_times_score_is_the_confidence(self, head):
        """As YOLOv5 and YOLOX define it."""
        (raw,) = outputs(head, CAR)
        raw[0, 0, 4] = 0.5

        found = decoder(head)(raw)

        assert found.confidence.tolist() == [0.375]

    @pytest.mark.parametrize("head", ROWS)
    def test_nothing_gives_no_detections(self, head):
        """An empty street is not special."""
        assert len(decoder(head)(*outputs(head, ([0, 0, 8, 8], {0: 0.01})))) == 0


class TestWanted:
    @pytest.mark.parametrize("head", CLASS_EACH)
    def test_a_class_nobody_asked_for_hides_nothing(self, head):
        """A cell that is more of a bicycle than of a person is a person to who asks for people."""
        cell = ([10, 20, 40, 50], {1: 0.9, 0: 0.6})

        found = decoder(head, class_ids=(0, 3))(*outputs(head, cell, ([60, 4, 70, 44], {2: 0.9})))

        assert rows(found) == [([10, 20, 40, 50], pytest.approx(0.6, abs=1e-5), 0)]

    @pytest.mark.parametrize("head", CLASS_EACH)
    def test_equal_scores_are_of_the_lower_class(self, head):
        """A tie is not left to chance."""
        found = decoder(head, class_ids=(1, 3))(*outputs(head, ([0, 0, 8, 8], {3: 0.5, 1: 0.5})))

        assert found.class_id.tolist() == [1]

    @pytest.mark.parametrize("head", ROWS)
    def test_the_threshold_itself_is_kept(self, head):
        """A confidence is kept from `conf` on."""
        raw = outputs(head, ([0, 0, 8, 8], {0: 0.25}), ([40, 0, 48, 8], {0: 0.2499}))

        assert decoder(head)(*raw).confidence.round(6).tolist() == [0.25]

    @pytest.mark.parametrize("head", ROWS)
    def test_the_most_confident_boxes_are_kept(self, head):
        """`max_det` boxes at most, after suppression."""
        objects = [([9 * i, 0, 9 * i + 8, 8], {0: 0.3 + i / 20}) for i in range(6)]

        found = decoder(head, max_det=2)(*outputs(head, *objects))

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
        found = decoder(head, class_ids=(2, 3), buckets=(0, 0))(*outputs(head, *self.SAME_PLACE))

        assert found.class_id.tolist() == [2]

    @pytest.mark.parametrize("head", SUPPRESSING)
    def test_classes_of_their_own_do_not(self, head):
        """The usual class-aware suppression."""
        found = decoder(head, class_ids=(2, 3))(*outputs(head, *self.SAME_PLACE))

        assert found.class_id.tolist() == [2, 3]

    @pytest.mark.parametrize("head", ["end2end", "rtdetr", "detr"])
    def test_an_end_to_end_network_has_done_it_itself(self, head):
        """Its boxes are not suppressed again."""
        twice = [([10, 20, 40, 50], {2: 0.75}), ([10, 20, 40, 50], {2: 0.5})]

        assert len(decoder(head)(*outputs(head, *twice))) == 2

    def test_a_query_that_comes_once_for_each_class_is_one_object(self):
        """A deployed DETR lists the best pairs of query and class: one box as a car and as a truck."""
        pairs = [([10, 20, 40, 50], {2: 0.75}), ([10, 20, 40, 50], {3: 0.5}), ([14, 20, 44, 50], {3: 0.4})]

        tracked = decoder("detr-deployed", class_ids=(2, 3), buckets=(0, 0))
        loose = decoder("detr-deployed", class_ids=(2, 3))

        assert tracked(*outputs("detr-deployed", *pairs)).class_id.tolist() == [2, 3]
        assert loose(*outputs("detr-deployed", *pairs)).class_id.tolist() == [2, 3, 3]


class TestWrongOutputs:
    @pytest.mark.parametrize("head", ROWS)
    def test_boxes_without_an_area_are_dropped(self, head):
        """A box is x2 > x1, y2 > y1."""
        raw = outputs(head, ([30, 30, 30, 40], {0: 0.9}), CAR)

        assert len(decoder(head)(*raw)) == 1

    @pytest.mark.parametrize("head", sorted(set(ROWS) - {"yolox"}))
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_boxes_that_are_no_numbers_are_refused(self, head, value):
        """They are not left out: a run without objects would look like an empty street."""
        raw = outputs(head, CAR)
        boxes = (
            raw[0].transpose(0, 2, 1) if head == "yolov8" else raw[-1 if head == "detr" else len(raw) // 2]
        )
        boxes[0, 0, 1] = value

        with pytest.raises(Misconfigured, match=r"found a box of .*weights are damaged"):
            decoder(head)(*raw)

    @pytest.mark.parametrize("head", ROWS)
    def test_scores_that_are_no_numbers_are_refused(self, head):
        """A network that overflows in float16 finds nothing, and says so."""
        raw = outputs(head, CAR)
        scores = {
            "yolov8": raw[0][:, 4:],
            "detr": raw[0],
            "detr-deployed": raw[-1],
            "rtdetr": raw[0][..., 4:],
        }
        scores.get(head, raw[0][..., 4:5])[:] = np.nan

        with pytest.raises(Misconfigured, match="no number"):
            decoder(head)(*raw)

    def test_one_wild_box_of_many_is_dropped(self):
        """A run is not given up for it."""
        (raw,) = outputs("yolov8", CAR, PERSON, ([0, 0, 8, 8], {1: 0.5}))
        raw[0, 2, 0] = np.inf

        assert len(decoder("yolov8")(raw)) == 2

    @pytest.mark.parametrize("head", sorted(set(ROWS) - {"detr"}))
    def test_scores_above_one_are_another_head(self, head):
        """Logits, or a column read as a score: said at once instead of tracked."""
        raw = outputs(head, ([0, 0, 8, 8], {0: 17.0}))

        with pytest.raises(Misconfigured, match=r"score of 17, expected 0\.\.1"):
            decoder(head)(*raw)

    def test_percent_are_not_taken_for_logits(self):
        """No score is below zero, so the sigmoid is not what they lack for certain."""
        raw = outputs("end2end", ([0, 0, 8, 8], {0: 90.0}))

        with pytest.raises(Misconfigured, match=r"score of 90, expected 0\.\.1.*percent cannot be read"):
            decoder("end2end")(*raw)

    @pytest.mark.parametrize("head", ["yolov8", "yolov5", "end2end", "rtdetr"])
    def test_scores_below_zero_are_logits(self, head):
        """Even where none is above the threshold."""
        raw = outputs(head, ([0, 0, 8, 8], {0: -3.5}))
        if head == "yolov5":
            raw[0][0, :, 4] = -3.5

        with pytest.raises(Misconfigured, match=r'score of -3\.5.*output = \{ scores = "logit" \}'):
            decoder(head, class_ids=(0,))(*raw)

    def test_rows_that_an_end_to_end_network_fills_up_are_no_logits(self):
        """Their score is -1."""
        (raw,) = outputs("end2end", CAR)
        raw[0, 1:, 4:] = -1

        assert len(decoder("end2end")(raw)) == 1

    def test_probabilities_are_no_logits(self):
        """Read as logits each query would be an object."""
        _, boxes = outputs("detr", CAR)
        scores = np.full((1, 30, len(LABELS)), 0.02, np.float32)

        with pytest.raises(Misconfigured, match='scores = "probability"'):
            decoder("detr")(scores, boxes)

    @pytest.mark.parametrize(
        ("head", "box", "said"),
        [
            ("yolov8", (0.5, 0.5, 0.2, 0.3), r'parts of the picture.*output = \{ unit = "picture" \}'),
            ("yolov5", (0.5, 0.5, 0.2, 0.3), 'unit = "picture"'),
            ("yolox-decoded", (0.5, 0.5, 0.2, 0.3), 'unit = "picture"'),
            ("end2end", (0.4, 0.4, 0.6, 0.7), 'unit = "picture"'),
            ("detr-deployed", (0.4, 0.4, 0.6, 0.7), 'unit = "picture"'),
            ("rtdetr", (50, 30, 20, 20), 'unit = "pixel"'),
            ("end2end", (50, 30, 20, 22), 'end lies before its start, read as xyxy.*box = "cxcywh"'),
            ("end2end", (2, 30, 20, 22), 'box = "xywh"'),
            ("yolov8", (-50, 30, -20, 60), 'read as cxcywh.*box = "xyxy"'),
            ("yolov8", (50, 30, -20, 22), "neither its sides nor its end fit its start"),
            ("end2end", (5000, 10, 5100, 80), r"far outside a picture of 96 x 64.*imgsz"),
            ("yolov8", (5000, 10, 80, 80), "far outside"),
        ],
    )
    def test_boxes_of_another_form_are_refused(self, head, box, said):
        """With what was seen and the card that settles it."""
        raw = outputs(head, CAR)
        boxes = raw[0].transpose(0, 2, 1) if head == "yolov8" else raw[len(raw) // 2]
        boxes[:, :, :4] = 0
        boxes[0, 0, :4] = box

        with pytest.raises(Misconfigured, match=said):
            decoder(head)(*raw)

    def test_corners_in_every_cell_are_no_centres_and_sides(self):
        """Each end behind its start: no network's sides are longer than its centres are far, everywhere."""
        (raw,) = outputs("yolov8", *[([x, 5, x + 20, 25], {0: 0.9}) for x in range(60)] * 2)
        raw[0, :4, :CELLS] = np.random.default_rng(1).uniform(0, 40, (4, CELLS))
        raw[0, 2:4] += raw[0, :2]

        with pytest.raises(Misconfigured, match='box = "xyxy"'):
            decoder("yolov8")(raw)

    def test_a_yolox_that_decodes_itself_is_refused(self):
        """Sides in pixels are no logarithms; its head is another one, which reads it."""
        (raw,) = outputs("yolox-decoded", CAR)

        with pytest.raises(Misconfigured, match=r'decoded already.*head = "yolox-decoded"'):
            decoder("yolox")(raw)
        assert rows(decoder("yolox-decoded")(raw)) == [([10, 20, 40, 50], 0.75, 2)]

    @pytest.mark.parametrize(
        ("class_id", "said"),
        [(7, "class id 7, but there are 4 labels"), (-2, "class id -2"), (0.03, "0.03 where")],
    )
    def test_class_ids_that_are_none_are_refused(self, class_id, said):
        """They are not left out as classes that nobody wants."""
        (raw,) = outputs("end2end", CAR)
        raw[0, 0, 5] = class_id

        with pytest.raises(Misconfigured, match=said):
            decoder("end2end")(raw)

    def test_the_card_that_is_told_has_all_that_a_card_needs(self):
        """It can be copied: also what the picture is like."""
        own = Profile("net", "", LABELS, "yolov8", fit="topleft", scale=1.0, file="net.onnx")

        with pytest.raises(Misconfigured) as error:
            Decoder(own, Wanted((0,)), WIDTH, HEIGHT)(outputs("yolov8", ([0, 0, 8, 8], {0: -2.0}))[0])

        assert (
            'Write net.card.toml beside it: name = "net", file = "net.onnx", head = "yolov8", labels = ["person", '
            '"bicycle", "car", "truck"], input = { fit = "topleft", scale = 1.0 }, output = { scores = "logit" }'
        ) in str(error.value)


class TestOutputOfTheCard:
    """What a card says of an output wins over what its head means."""

    def read(self, head, raw, **said):
        own = replace(profile(head), **said)
        return rows(Decoder(own, Wanted((0, 1, 2, 3), conf=0.25), WIDTH, HEIGHT)(*raw))

    CAR = [([10, 20, 40, 50], 0.75, 2)]

    @pytest.mark.parametrize("head", ["yolov8", "yolov5", "end2end", "detr-deployed"])
    def test_parts_of_the_picture(self, head):
        """Of its width and height."""
        raw = outputs(head, CAR)
        boxes = raw[0].transpose(0, 2, 1) if head == "yolov8" else raw[len(raw) // 2]
        boxes[..., :4] /= np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], np.float32)

        assert self.read(head, raw, unit="picture") == self.CAR

    @pytest.mark.parametrize(
        ("order", "box"),
        [("cxcywh", (25, 35, 30, 30)), ("xywh", (10, 20, 30, 30)), ("xyxy", (10, 20, 40, 50))],
    )
    @pytest.mark.parametrize("head", ["yolov8", "end2end", "yolov5"])
    def test_orders_of_a_box(self, head, order, box):
        """Centre and sides, corner and sides, two corners."""
        raw = outputs(head, CAR)
        (raw[0].transpose(0, 2, 1) if head == "yolov8" else raw[0])[0, 0, :4] = box

        assert self.read(head, raw, box=order) == self.CAR

    @pytest.mark.parametrize("head", ["yolov8", "yolov5", "rtdetr"])
    def test_logits(self, head):
        """The sigmoid is ours then, the threshold is the same."""
        raw = outputs(head, CAR, ([50, 10, 60, 20], {0: 0.2}))
        scores = raw[0][:, 4:] if head == "yolov8" else raw[0][..., 4:]
        scores[:] = logits(scores)

        assert self.read(head, raw, scores="logit") == self.CAR

    def test_a_last_class_for_the_background_needs_no_label(self):
        """RF-DETR, trained on data of one's own, has one."""
        scores, boxes = outputs("detr", CAR)
        spare = np.concatenate([scores, np.full((1, 30, 1), -4.6, np.float32)], axis=2)
        own = decoder("detr")

        own.check(spare.shape, boxes.shape)

        assert rows(own(spare, boxes)) == self.CAR

    def test_a_softmax_with_a_class_for_no_object_is_refused(self):
        """Read as independent classes every query would be an object."""
        scores, boxes = outputs("detr", CAR)
        spare = np.concatenate([scores, np.full((1, 30, 1), 6.0, np.float32)], axis=2)

        with pytest.raises(Misconfigured, match="a softmax with a class for no object"):
            decoder("detr")(spare, boxes)

    def test_a_card_keeps_what_it_said_before(self):
        """The line that settles one fault does not take back that of another."""
        boxes = np.zeros((1, 300, 6), np.float32)
        boxes[0, 0] = [0.5, 0.5, 0.2, 0.2, 0.9, 0]

        with pytest.raises(Misconfigured, match=r'output = \{ unit = "picture", box = "cxcywh" \}'):
            Decoder(replace(profile("end2end"), unit="picture"), Wanted((0, 1), conf=0.25), WIDTH, HEIGHT)(
                boxes
            )

    def test_class_ids_that_are_none_are_seen_however_low_the_score(self):
        """Two columns of scores of two classes: the wanted object lies in the second."""
        rows_of_scores = np.full((1, 300, 6), 0.003, np.float32)
        rows_of_scores[0, 0] = [0.5, 0.5, 0.16, 0.125, 0.02, 0.92]

        with pytest.raises(Misconfigured, match="where a class id is expected"):
            decoder("end2end")(rows_of_scores)


class TestShapes:
    @pytest.mark.parametrize(
        ("head", "shape"),
        [
            ("yolov8", (1, CELLS, 8)),
            ("yolov8", (1, 84, CELLS)),
            ("yolov5", (1, 3 * CELLS, 85)),
            ("yolox", (1, CELLS + 1, 9)),
            ("end2end", (1, 300, 7)),
            ("end2end", (300, 6)),
            ("rtdetr", (1, 300, 9)),
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
        decoder(head).check(*(raw.shape for raw in outputs(head, CAR)))
