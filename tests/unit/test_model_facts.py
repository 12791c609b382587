"""What a model file says of itself, and the card that is told from it."""

import hashlib
import json

import pytest

from sightline import models
from sightline.errors import Misconfigured
from sightline.models import Input
from sightline.models.facts import facts_of
from sightline.vision.coco import COCO, COCO_91
from tests.unit.model_files import DYNAMIC, FIXED, NAMES, onnx_file, openvino_file

STRETCHED = Input(fit="stretch")
RFDETR = Input(fit="stretch", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
RFDETR_OWN = {"rfdetr_inference": json.dumps({"class_id_to_name": {"0": "car", "1": "person"}})}


def written(card, folder):
    (folder / "x.card.toml").write_text(models.toml_of(card))
    return folder / "x.card.toml"


class TestFacts:
    def test_shapes_and_names_of_an_onnx_file(self, tmp_path):
        """Weights among the inputs are not the picture."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 6, 8400), names=NAMES, task="detect")

        facts = facts_of(path)

        assert (facts.input, facts.output, facts.fixed) == (FIXED, (1, 6, 8400), (640, 640))
        assert facts.labels == ("car", "driver's cab")
        assert facts.metadata["task"] == "detect"
        assert not facts.quantised

    def test_sides_that_may_vary(self, tmp_path):
        """They have no number."""
        facts = facts_of(onnx_file(tmp_path / "m.onnx", DYNAMIC, ("n", 84, "a")))

        assert (facts.input, facts.output, facts.fixed) == ((None, 3, None, None), (None, 84, None), None)

    def test_a_quantised_network_is_known_by_its_operations(self, tmp_path):
        """Its precision is its own."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400), operations=("QuantizeLinear", "Conv"))

        assert facts_of(path).quantised

    @pytest.mark.parametrize("content", [b"", b"hello world", b"\x3a\xff\x7f", b"PK\x03\x04" * 10])
    def test_what_is_no_model_is_an_error(self, tmp_path, content):
        """Not a crash in a parser."""
        (tmp_path / "m.onnx").write_bytes(content)

        with pytest.raises(Misconfigured, match=r"m\.onnx: no \.onnx model in it"):
            facts_of(tmp_path / "m.onnx")

    def test_an_onnx_file_cut_anywhere_is_an_error_or_has_no_shapes(self, tmp_path):
        """A broken download never loops or crashes."""
        whole = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)).read_bytes()

        for size in range(len(whole) - 1):
            (tmp_path / "cut.onnx").write_bytes(whole[:size])
            with pytest.raises(Misconfigured):
                facts_of(tmp_path / "cut.onnx")

    def test_an_openvino_model(self, tmp_path):
        """Shapes from its layers, names from Ultralytics' metadata.yaml beside it."""
        path = openvino_file(tmp_path)

        facts = facts_of(path)

        assert (facts.input, facts.output) == ((1, 3, 384, 640), (1, 6, 5040))
        assert facts.fixed == (640, 384)
        assert facts.labels == ("car", "person")
        assert (facts.metadata["task"], facts.quantised) == ("detect", True)

    @pytest.mark.parametrize(
        ("names", "labels"),
        [
            ("names:\n  0: car, parked\n  1: car, moving\n", ("car, parked", "car, moving")),
            ("names: {0: car, 1: person}\n", ("car", "person")),
            ("names: [car, 'driver''s car']\n", ("car", "driver's car")),
            ("names:\n  0: 'driver''s car'\n  1: car # first\n", ("driver's car", "car")),
            ('names:\n- car\n- "a: b"\n', ("car", "a: b")),
            ("names:\n  1: car\n  2: person\n", ()),
        ],
    )
    def test_labels_in_yaml_are_read_whole(self, tmp_path, names, labels):
        """Quoted, plain, with commas and comments, in blocks and on one line."""
        path = openvino_file(tmp_path)
        (tmp_path / "metadata.yaml").write_text(f"task: detect\n{names}stride: 32\n")

        assert facts_of(path).labels == labels


class TestGuessing:
    @pytest.mark.parametrize(
        ("name", "image", "output", "metadata", "head", "labels"),
        [
            ("m", FIXED, (1, 84, 8400), {}, "yolov8", COCO),
            ("m", FIXED, (1, 6, 8400), {"names": NAMES}, "yolov8", ("car", "driver's cab")),
            (
                "m",
                DYNAMIC,
                ("n", "c", "a"),
                {"names": NAMES, "task": "detect"},
                "yolov8",
                ("car", "driver's cab"),
            ),
            (
                "m",
                DYNAMIC,
                ("n", "c", "a"),
                {"names": NAMES, "task": "detect", "end2end": "True"},
                "end2end",
                None,
            ),
            ("m", DYNAMIC, ("n", 84, "a"), {}, "yolov8", COCO),
            ("m", FIXED, (1, 300, 6), {"names": NAMES}, "end2end", ("car", "driver's cab")),
            ("m", FIXED, (1, 25200, 85), {}, "yolov5", COCO),
            ("my_yolox_s", FIXED, (1, 8400, 85), {}, "yolox", COCO),
            ("m", FIXED, (1, 25200, 7), {"names": "['car', 'bus']"}, "yolov5", ("car", "bus")),
        ],
    )
    def test_a_model_without_a_card(self, tmp_path, name, image, output, metadata, head, labels):
        """Told from shapes and metadata."""
        path = onnx_file(tmp_path / f"{name}.onnx", image, output, **metadata)

        card = models.resolve(path).card

        assert card.head == head
        assert labels is None or card.labels == labels
        assert card.input == (Input(fit="topleft", colour="bgr", scale=1.0) if head == "yolox" else Input())

    @pytest.mark.parametrize(
        ("outputs", "metadata", "head", "labels", "expected"),
        [
            ({"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}, {}, "detr", COCO, STRETCHED),
            ({"dets": (1, 300, 4), "labels": (1, 300, 91)}, {}, "detr", COCO_91, RFDETR),
            (
                {"dets": (1, 300, 4), "labels": (1, 300, 3), "masks": (1, 300, 96, 96)},
                RFDETR_OWN,
                "detr",
                None,
                RFDETR,
            ),
            (
                {"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)},
                {"names": NAMES},
                "detr-deployed",
                ("car", "driver's cab"),
                STRETCHED,
            ),
            ({"output0": (1, 300, 84)}, {}, "rtdetr", COCO, STRETCHED),
            ({"output0": (1, 300, 5)}, {"names": "['car']"}, "rtdetr", ("car",), STRETCHED),
            (
                {"output0": (1, 300, 6)},
                {"names": NAMES, "description": "Ultralytics RT-DETR-l model"},
                "end2end",
                None,
                STRETCHED,
            ),
        ],
    )
    def test_a_detr_without_a_card(self, tmp_path, outputs, metadata, head, labels, expected):
        """Told from the names and shapes of its outputs; a frame fills its picture."""
        (_, first), *others = outputs.items()
        path = onnx_file(
            tmp_path / "m.onnx", FIXED, first, name=next(iter(outputs)), outputs=others, **metadata
        )

        card = models.resolve(path).card

        assert (card.head, card.input, card.fit) == (head, expected, "stretch")
        assert labels is None or card.labels == labels
        assert models.read_card(written(card, tmp_path)) == card

    def test_labels_that_rf_detr_writes_are_read(self, tmp_path):
        """By class id, with the gaps that they have."""
        names = json.dumps({"class_id_to_name": {"1": "car", "3": "bus"}})
        shapes = (("labels", (1, 300, 4)),)
        path = onnx_file(
            tmp_path / "m.onnx", FIXED, (1, 300, 4), name="dets", outputs=shapes, rfdetr_inference=names
        )

        assert models.resolve(path).card.labels == ("unused", "car", "unused", "bus")

    def test_a_deployed_detr_does_not_say_how_many_classes_it_has(self, tmp_path):
        """The error has the line for those of COCO."""
        shapes = (("boxes", (1, 300, 4)), ("scores", (1, 300)))
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 300), name="labels", outputs=shapes)

        with pytest.raises(Misconfigured, match=r"head = \"detr-deployed\".*\(or labels = \"coco\"\)"):
            models.resolve(path)

    @pytest.mark.parametrize(
        ("image", "output", "metadata", "said"),
        [
            (FIXED, (1, 8400, 85), {}, "what its output means: output 1x8400x85"),
            (FIXED, (1, 8, 8400), {}, r"its labels \(head 'yolov8'\): output 1x8x8400"),
            (FIXED, (1, 300, 6), {}, "its labels"),
            (DYNAMIC, ("n", "c", "a"), {}, r"output \?x\?x\?"),
            (FIXED, (1, 84, 8400), {"names": NAMES}, "what its output means"),
            (FIXED, (1, 116, 8400), {"task": "segment", "names": NAMES}, "task 'segment'"),
        ],
    )
    def test_what_cannot_be_told_is_an_error(self, tmp_path, image, output, metadata, said):
        """It names what was found and what to write into a card."""
        path = onnx_file(tmp_path / "m.onnx", image, output, **metadata)

        with pytest.raises(Misconfigured, match=said) as error:
            models.resolve(path)

        assert "task" in metadata or 'm.card.toml beside it: name = "m"' in str(error.value)

    def test_a_shape_that_the_file_lacks_can_be_found_out(self, tmp_path):
        """An engine knows it; the registry does not need one."""
        path = onnx_file(tmp_path / "m.onnx", DYNAMIC, ("n", "c", "a"))

        assert (
            models.resolve(path, probe=lambda asked: (1, 84, 8400) if asked == path else ()).card.labels
            == COCO
        )

    @pytest.mark.parametrize(
        "names",
        ["None", "{1: 'car', 2: 'person'}", "{0: 'car', 2: 'bus'}", "{'a': 'car'}", "car person", "[None]"],
    )
    def test_labels_that_cannot_be_told_say_the_line_to_write(self, tmp_path, names):
        """With what the metadata says, and the head that was told."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 6, 8400), names=names, task="detect")

        with pytest.raises(Misconfigured, match=r"its labels \(head 'yolov8'\)") as error:
            models.resolve(path)

        assert "its metadata says names = " in str(error.value)
        assert 'head = "yolov8", labels = ["car", "person"]' in str(error.value)

    def test_labels_in_json_are_read(self, tmp_path):
        """Its keys are texts."""
        names = '{"0": "car", "1": "person"}'

        card = models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 6, 8400), names=names)).card

        assert card.labels == ("car", "person")

    @pytest.mark.parametrize(
        "metadata", [{"names": "None"}, {"names": "{1: 'a'}"}, {"task": "segment"}, {"names": "?"}]
    )
    def test_a_card_wins_over_whatever_the_metadata_says(self, tmp_path, metadata):
        """Nothing is guessed where a card says it."""
        path = tmp_path / "m.onnx"
        onnx_file(path, FIXED, (1, 6, 8400), **metadata)
        path.write_bytes(path.read_bytes().replace(b"?", b"\xff"))
        card = 'name = "m"\nfile = "m.onnx"\nhead = "yolov8"\nlabels = ["van", "bus"]\n'
        (tmp_path / "m.card.toml").write_text(card)

        assert models.resolve(path).card.labels == ("van", "bus")

    def test_an_openvino_card_wins_over_broken_metadata(self, tmp_path):
        """Also over bytes that are no text."""
        path = openvino_file(tmp_path)
        (tmp_path / "metadata.yaml").write_bytes(b"\xff\xfe names:\n  - ]")
        card = 'name = "m"\nfile = "m.xml"\nhead = "yolov8"\nlabels = ["van", "bus"]\n'
        (tmp_path / "m.card.toml").write_text(card)

        assert models.resolve(path).card.labels == ("van", "bus")

    def test_a_pt_file_knows_head_and_labels_itself(self, tmp_path):
        """It needs the extra to be read."""
        (tmp_path / "best.pt").write_bytes(b"pickle")

        card = models.resolve(tmp_path / "best.pt").card

        assert (card.name, card.head, card.labels) == ("best", "ultralytics", ())

    def test_a_folder_with_an_openvino_model(self, tmp_path):
        """As Ultralytics exports it; both files make the hash."""
        openvino_file(tmp_path)

        model = models.resolve(tmp_path)

        both = (tmp_path / "m.xml").read_bytes() + b"weights"
        assert model.path == tmp_path / "m.xml"
        assert model.sha256 == hashlib.sha256(both).hexdigest()
        assert model.fixed == (640, 384)


class TestTwin:
    def quantised(self, path):
        return onnx_file(path, FIXED, (1, 84, 8400), operations=("QuantizeLinear",))

    def test_the_quantised_network_beside_a_model_is_its_twin(self, tmp_path):
        """It has the model's card, its own size and its own hash."""
        model = models.resolve(onnx_file(tmp_path / "m.onnx", DYNAMIC, (1, 84, "a")))
        self.quantised(tmp_path / "m-int8.onnx")

        twin = models.int8_twin(model)

        assert twin.path == tmp_path / "m-int8.onnx"
        assert (twin.card.name, twin.card.labels, twin.fixed) == ("m-int8", COCO, (640, 640))
        assert twin.profile.sha256 == models.sha256_of(twin.path) != model.sha256

    def test_a_folder_that_ultralytics_exported_is_one_too(self, tmp_path):
        """Its metadata names the labels."""
        folder = tmp_path / "m_int8_openvino_model"
        folder.mkdir()
        openvino_file(folder)
        names = "{0: 'car', 1: 'person'}"
        model = models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 6, 8400), names=names))

        twin = models.int8_twin(model)

        assert twin.path == folder / "m.xml"
        assert twin.fixed == (640, 384)

    def test_most_models_have_none(self, tmp_path):
        """Then int8 is no candidate."""
        assert models.int8_twin(models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)))) is None

    def test_another_network_is_no_twin(self, tmp_path):
        """A float one, or one with other labels."""
        model = models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)))
        onnx_file(tmp_path / "m-int8.onnx", FIXED, (1, 84, 8400))

        with pytest.raises(Misconfigured, match="not the int8 network"):
            models.int8_twin(model)
