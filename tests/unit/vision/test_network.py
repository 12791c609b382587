"""How a network is fed and read: told from its ports, in the same words for every engine."""

import pytest

from sightline.errors import Misconfigured
from sightline.vision.network import Plan, Port, outputs_of, plan_of

PICTURE = Port("images", "float32", (None, 3, None, None))
OUTPUT = Port("output0", "float32", (1, 84, None))
SIZES = Port("orig_target_sizes", "int64", (None, 2))


class TestPlan:
    def test_a_picture_alone(self):
        """The usual network."""
        assert plan_of("m", "yolov8", [PICTURE], [OUTPUT]) == Plan(0, "float32", False, None, "", (0,))

    def test_a_size_beside_it(self):
        """In any order."""
        plan = plan_of("m", "yolov8", [SIZES, PICTURE], [OUTPUT])

        assert (plan.picture, plan.sizes, plan.sizes_dtype) == (1, 0, "int64")

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            ([PICTURE, Port("scale_factor", "float32", (1, 2))], "scale_factor 1x2 cannot be given"),
            ([PICTURE, Port("pixel_mask", "int64", (1, 64, 64))], "pixel_mask 1x64x64 cannot be given"),
            ([PICTURE, SIZES, Port("im_shape", "int64", (1, 2))], "im_shape 1x2 cannot be given"),
            ([PICTURE, PICTURE], "one picture"),
            ([Port("x", "float32", ())], "x not said: one picture"),
            ([Port("x", "bfloat16", (1, 3, 64, 64))], "numbers of type bfloat16"),
            ([Port("x", "float32", (1, 12, 320, 320))], "three channels, not 12"),
        ],
    )
    def test_what_cannot_be_fed_is_named(self, inputs, said):
        """Nothing is made up for an input that nobody knows."""
        with pytest.raises(Misconfigured, match=said):
            plan_of("m", "yolov8", inputs, [OUTPUT])


class TestOutputs:
    BOXES = Port("x1", "float32", (1, 300, 4))

    @pytest.mark.parametrize(
        ("head", "names", "expected"),
        [
            ("yolov8", ["output0", "a", "b"], (0,)),
            ("detr", ["dets", "labels"], (1, 0)),
            ("detr", ["logits", "pred_boxes"], (0, 1)),
            ("detr", ["dets", "labels", "masks"], (1, 0)),
            ("detr-deployed", ["boxes", "scores", "labels"], (2, 0, 1)),
        ],
    )
    def test_they_are_found_by_name(self, head, names, expected):
        """Boxes of three classes and a background have the shape of boxes: a name tells them apart."""
        ports = [Port(name, "float32", (1, 300, 4)) for name in names]

        assert outputs_of("m", head, ports) == expected

    def test_names_that_an_exporter_made_up_leave_the_shapes(self):
        """Where they are certain."""
        logits = Port("x2", "float32", (1, 300, 80))
        labels, scores = Port("x3", "int64", (1, 300)), Port("x4", "float32", (1, 300))

        assert outputs_of("m", "detr", [self.BOXES, logits]) == (1, 0)
        assert outputs_of("m", "detr-deployed", [scores, self.BOXES, labels]) == (2, 1, 0)

    @pytest.mark.parametrize("head", ["detr", "detr-deployed"])
    def test_else_they_are_asked_for(self, head):
        """Two outputs of one shape and no names."""
        with pytest.raises(Misconfigured, match="it has x1 1x300x4, x1 1x300x4"):
            outputs_of("m", head, [self.BOXES, self.BOXES])
