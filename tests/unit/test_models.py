"""Models: cards, names, hashes, and the size of the picture."""

import re
import tomllib
from pathlib import Path

import pytest

from sightline import models
from sightline.errors import Corrupt, Misconfigured
from sightline.models import Card, Input, Output, Thresholds
from tests.unit.model_files import DYNAMIC, FIXED, onnx_file, openvino_file

CARD = """
name = "streets"
licence = "MIT"
file = "streets.onnx"
head = "yolov8"
labels = ["car", "person"]
imgsz = [640, 384]
"""
TABLES = """
[input]
colour = "bgr"

[thresholds]
high = 0.5

[provenance]
data = "ours"
"seeds used" = [1, 2]
"""


class TestCards:
    def test_a_card_is_read(self, tmp_path):
        """Tables that are left out have defaults."""
        (tmp_path / "streets.card.toml").write_text(CARD + TABLES)

        card = models.read_card(tmp_path / "streets.card.toml")

        assert (card.labels, card.imgsz) == (("car", "person"), (640, 384))
        assert card.input == Input(fit="centre", colour="bgr", scale=255.0, pad=114)
        assert card.thresholds == Thresholds(high=0.5)

    def test_a_card_survives_writing(self, tmp_path):
        """Keys with spaces, quotes and lists included."""
        (tmp_path / "a.card.toml").write_text(CARD + TABLES)
        card = models.read_card(tmp_path / "a.card.toml")

        (tmp_path / "b.card.toml").write_text(models.toml_of(card))

        assert models.read_card(tmp_path / "b.card.toml") == card

    def test_labels_of_coco_have_a_name(self, tmp_path):
        """In a row, or by COCO's own category ids."""
        found = []
        for name in ("coco", "coco-91"):
            (tmp_path / "x.card.toml").write_text(
                f'name = "x"\nfile = "x.onnx"\nhead = "detr"\nlabels = "{name}"\n'
            )
            found.append(models.read_card(tmp_path / "x.card.toml").labels)

        assert (len(found[0]), found[0][2], len(found[1]), found[1][3], found[1][90]) == (
            80,
            "car",
            91,
            "car",
            "toothbrush",
        )

    @pytest.mark.parametrize(
        ("head", "said", "fit"),
        [("yolov8", "", "centre"), ("detr", "", "stretch"), ("detr", '[input]\nfit = "centre"', "centre")],
    )
    def test_a_frame_fills_the_picture_of_a_detr(self, tmp_path, head, said, fit):
        """Unless its card says otherwise, also after it was copied."""
        text = f'name = "x"\nfile = "x.onnx"\nhead = "{head}"\nlabels = ["car"]\n{said}\n'
        (tmp_path / "x.card.toml").write_text(text)
        card = models.read_card(tmp_path / "x.card.toml")
        (tmp_path / "y.card.toml").write_text(models.toml_of(card))

        assert card.profile("").fit == models.read_card(tmp_path / "y.card.toml").profile("").fit == fit

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('licens = "MIT"', r"licens: unknown key; did you mean licence\?"),
            ('head = "yolo"', "head = 'yolo'"),
            ("labels = []", "labels"),
            ("imgsz = [640, 20]", "imgsz"),
            ('sha256 = "abc"', "sha256 = 'abc'"),
            ("[thresholds]\nhigh = 1.5", r"thresholds\.high = 1\.5"),
            ('[input]\nfit = "left"', r"input\.fit = 'left'"),
            ("[input]\nstd = [1, 1, 0]", r"input\.std"),
            ('[output]\nbox = "yxyx"', r"output\.box = 'yxyx'"),
            ('labels = "coco80"', "labels"),
        ],
    )
    def test_a_wrong_key_is_named(self, tmp_path, line, said):
        """With the file, and the nearest known key."""
        key = line.split(" = ")[0]
        kept = [old for old in CARD.splitlines() if not old.startswith(f"{key} ")]
        (tmp_path / "x.card.toml").write_text("\n".join([*kept, line]))

        with pytest.raises(Misconfigured, match=rf"x\.card\.toml: {said}"):
            models.read_card(tmp_path / "x.card.toml")

    def test_the_bundled_card_is_that_of_its_file(self):
        """The wheel carries a model that is what its card says."""
        model = models.verify(models.BUNDLED)

        assert model.card.labels == ("car", "van", "truck", "person")
        assert model.card.licence == "Apache-2.0"
        assert model.profile.sha256 == model.card.sha256
        assert model.fixed is None


class TestNames:
    def test_a_known_model_that_is_not_here_names_the_command(self, tmp_path):
        """The one command that brings it."""
        with pytest.raises(Misconfigured, match="sightline models get yolox-nano"):
            models.resolve("yolox-nano", tmp_path)

    @pytest.mark.parametrize("name", ["yolox-nanno", "nowhere/model.onnx", "../x", ""])
    def test_an_unknown_name_is_an_error(self, tmp_path, name):
        """With the nearest known one."""
        with pytest.raises(Misconfigured, match=r"no model|\.xml files"):
            models.resolve(name, tmp_path)

    def test_a_file_that_its_card_does_not_describe_is_an_error(self, tmp_path):
        """Another network under the same name would give other results silently."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400))
        models.add(path, "mine", tmp_path / "kept")
        onnx_file(tmp_path / "kept" / "mine.onnx", FIXED, (1, 84, 8400), other="yes")

        with pytest.raises(Misconfigured, match=r"not the file that mine\.card\.toml describes"):
            models.resolve("mine", tmp_path / "kept")
        with pytest.raises(Corrupt, match="bring it again"):
            models.verify("mine", tmp_path / "kept")

    def test_an_added_model_has_a_name(self, tmp_path):
        """Its file and a card of its own; adding it again changes nothing."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400))

        added = [models.add(path, "mine", tmp_path / "kept") for _ in range(2)]

        assert models.resolve("mine", tmp_path / "kept") == added[0] == added[1]
        assert models.verify("mine", tmp_path / "kept").card.sha256 == models.sha256_of(path)
        assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == ["mine.card.toml", "mine.onnx"]

    def test_an_added_openvino_model_brings_its_weights(self, tmp_path):
        """Two files, one model."""
        openvino_file(tmp_path)

        models.add(tmp_path, "quick", tmp_path / "kept")

        assert models.resolve("quick", tmp_path / "kept").card.labels == ("car", "person")

    @pytest.mark.parametrize("name", ["yolox-nano", "sightline-tiny", "../up", "a b", ""])
    def test_names_of_others_cannot_be_taken(self, tmp_path, name):
        """Nor names that are not one word."""
        path = onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400))

        with pytest.raises(Misconfigured, match="name="):
            models.add(path, name, tmp_path / "kept")

    def test_another_model_does_not_take_a_name(self, tmp_path):
        """Results of the first would be taken for those of the second."""
        models.add(onnx_file(tmp_path / "a.onnx", FIXED, (1, 84, 8400)), "mine", tmp_path / "kept")

        with pytest.raises(Misconfigured, match="another model already"):
            models.add(onnx_file(tmp_path / "b.onnx", FIXED, (1, 84, 8400), v="2"), "mine", tmp_path / "kept")

    def test_the_list_says_what_is_here(self, tmp_path):
        """Known, bundled and added models by name."""
        models.add(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)), "mine", tmp_path / "kept")

        listed = {row.name: row for row in models.list_models(tmp_path / "kept")}

        assert list(listed) == ["mine", "sightline-tiny", "yolox-nano"]
        assert [row.path is not None for row in listed.values()] == [True, True, False]
        assert listed["yolox-nano"].licence == "Apache-2.0"
        assert [row.bundled for row in listed.values()] == [False, True, False]


class TestPictureSize:
    @pytest.mark.parametrize(
        ("asked", "frame", "expected"),
        [
            (None, (1280, 720), (640, 384)),
            (None, (720, 1280), (384, 640)),
            (None, (640, 640), (640, 640)),
            ("320", (1920, 1080), (320, 192)),
            ("640x640", (1920, 1080), (640, 640)),
            ("640X384", (10, 1000), (640, 384)),
            ("640", (5000, 10), (640, 32)),
        ],
    )
    def test_the_longest_side_is_640(self, tmp_path, asked, frame, expected):
        """The other follows the source, rounded up to a multiple of 32, as `yolo` does for a .pt file."""
        model = models.resolve(onnx_file(tmp_path / "m.onnx", DYNAMIC, ("n", 84, 8400)))

        assert model.picture(asked, *frame) == expected

    def test_a_frame_that_is_stretched_makes_a_square(self, tmp_path):
        """DETRs are trained on squares."""
        shapes = (("pred_boxes", (1, 300, 4)),)
        path = onnx_file(tmp_path / "m.onnx", DYNAMIC, (1, 300, 80), name="logits", outputs=shapes)

        assert models.resolve(path).picture(None, 1920, 1080) == (640, 640)

    def test_the_card_may_say_both_sides(self):
        """They do not follow the source then."""
        model = models.resolve(models.BUNDLED)

        assert model.picture(None, 100, 1000) == (640, 384)
        assert model.picture("640", 100, 1000) == (64, 640)

    @pytest.mark.parametrize("asked", [None, "640", "640x640"])
    def test_a_network_of_one_size_has_its_own(self, tmp_path, asked):
        """Asking for just that is no error."""
        model = models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)))

        assert model.picture(asked, 1280, 720) == (640, 640)

    @pytest.mark.parametrize("asked", ["320", "640x384"])
    def test_another_size_is_an_error(self, tmp_path, asked):
        """It names the one that it takes."""
        model = models.resolve(onnx_file(tmp_path / "m.onnx", FIXED, (1, 84, 8400)))

        with pytest.raises(Misconfigured, match="takes 640x640 only"):
            model.picture(asked, 1280, 720)

    @pytest.mark.parametrize("asked", ["big", "0", "100", "640x", "640x640x3", "-640", "640,640"])
    def test_what_is_no_size_is_an_error(self, asked):
        """Sides are multiples of 32."""
        with pytest.raises(Misconfigured, match="multiples of 32"):
            models.resolve(models.BUNDLED).picture(asked, 1280, 720)


class TestDocs:
    DOCS = Path(__file__).resolve().parents[2] / "docs"

    @pytest.mark.parametrize("page", ["reference/model-card.md", "how-to/your-model.md"])
    def test_every_card_in_the_docs_is_valid(self, tmp_path, page):
        """What is shown can be copied."""
        cards = re.findall(r"```toml\n(.*?)```", (self.DOCS / page).read_text("utf-8"), re.DOTALL)

        for number, card in enumerate(cards):
            (tmp_path / f"{number}.card.toml").write_text(card, "utf-8")
            assert models.read_card(tmp_path / f"{number}.card.toml").labels
        assert cards

    def test_the_reference_names_every_key(self):
        """Its example sets all of them."""
        page = (self.DOCS / "reference/model-card.md").read_text("utf-8")
        shown = tomllib.loads(page.split("```toml\n")[1].split("```")[0])

        assert list(shown) == list(Card.model_fields)
        assert list(shown["input"]) == list(Input.model_fields)
        assert list(shown["output"]) == list(Output.model_fields)
        assert list(shown["thresholds"]) == list(Thresholds.model_fields)


class TestFolders:
    def test_files_lie_where_the_desktop_rules_say(self, monkeypatch, tmp_path):
        """XDG: a relative path in a variable is ignored."""
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")

        assert models.models_folder() == tmp_path / "sightline" / "models"
        assert models.cache_folder() == Path.home() / ".cache" / "sightline"
