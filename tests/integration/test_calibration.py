"""Calibration: the fastest precision that agrees, measured once, remembered where that is possible."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline import models
from sightline.adapters.engines import calibration
from sightline.adapters.engines.calibration import Trial, agree, choose, resolve_precision, timed
from sightline.adapters.engines.openvino import has_bfloat
from sightline.errors import Misconfigured
from sightline.testing import ScriptedDetector
from sightline.types import Detections

SIZE = (192, 128)
needs_bfloat = pytest.mark.skipif(not has_bfloat(), reason="this processor has no bfloat16 instructions")


@pytest.fixture(scope="module")
def tiny():
    return models.resolve(models.BUNDLED)


def found(*rows) -> Detections:
    boxes = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Detections(boxes[:, :4], boxes[:, 4], boxes[:, 5].astype(np.int64))


CAR = (10, 10, 50, 30, 0.9, 2)
FAINT = (80, 80, 90, 90, 0.2, 0)


class TestChoice:
    @pytest.mark.parametrize(
        ("trials", "expected"),
        [
            ([("f32", 30, True)], "f32"),
            ([("f32", 30, True), ("bf16", 20, True)], "bf16"),
            ([("f32", 30, True), ("bf16", 20, False)], "f32"),
            ([("f32", 30, True), ("bf16", 28, True)], "f32"),
            ([("f32", 33, True), ("bf16", 30, True)], "bf16"),
            ([("f32", 30, True), ("bf16", 50, True)], "f32"),
            ([("f32", 30, True), ("bf16", 20, True), ("int8", 10, True)], "int8"),
            ([("f32", 30, True), ("bf16", 20, True), ("int8", 10, False)], "bf16"),
        ],
    )
    def test_the_fastest_that_agrees_and_gains_a_tenth(self, trials, expected):
        """Other bytes for nothing are not worth it."""
        assert choose([Trial(p, ms / 1000, agrees) for p, ms, agrees in trials]) == expected

    @given(st.lists(st.tuples(st.floats(0.001, 1), st.booleans()), min_size=2, max_size=2))
    def test_it_is_never_slower_than_f32(self, others):
        """Nor does it disagree with it."""
        trials = [Trial("f32", 0.1, True)]
        trials += [Trial(p, *other) for p, other in zip(("bf16", "int8"), others, strict=True)]

        best = next(trial for trial in trials if trial.precision == choose(trials))

        assert best.agrees
        assert best.cpu_s <= 0.1


class TestAgreement:
    @pytest.mark.parametrize(
        ("base", "other", "expected"),
        [
            ((CAR,), (CAR,), True),
            ((CAR,), ((10.2, 10, 50, 30.1, 0.85, 2), FAINT), True),
            ((CAR, FAINT), (CAR,), True),  # what f32 is not sure of need not be found
            ((CAR,), ((10, 10, 50, 30, 0.9, 7),), False),  # another class
            ((CAR,), ((12, 12, 52, 32, 0.9, 2),), False),  # mean overlap below 0.95
            ((CAR, (100, 10, 140, 30, 0.8, 2)), (CAR,), False),  # one is missing
            ((CAR,), (), False),
            ((), (CAR,), False),  # nothing to compare is no evidence
            ((FAINT,), (FAINT,), False),
        ],
    )
    def test_every_sure_box_is_matched_closely(self, base, other, expected):
        """Of the same class, at a mean overlap above 0.95."""
        assert agree(found(*base), found(*other)) is expected


class TestTiming:
    def test_precisions_take_turns_and_the_minimum_counts(self):
        """A disturbance hits all of them, and none of them is judged by it."""
        order = []

        def slot(name):
            return ScriptedDetector(lambda _: order.append(name) or Detections.empty()).slot()

        ticks = iter([0, 5, 10, 12, 20, 29, 30, 33])  # f32 takes 5, bf16 2, f32 9, bf16 3
        seconds = timed({"f32": slot("f32"), "bf16": slot("bf16")}, rounds=2, clock=lambda: next(ticks))

        assert order == ["f32", "bf16", "f32", "bf16"]
        assert seconds == {"f32": 5, "bf16": 2}


class TestResolving:
    @pytest.mark.parametrize("asked", ["f32", "bf16", "int8"])
    def test_a_precision_that_is_named_is_taken(self, tiny, asked):
        """Without measuring; whether it can be honoured is said when the model is opened."""
        assert resolve_precision(asked, tiny.path, tiny.profile) == asked

    def test_an_unknown_precision_is_an_error(self, tiny):
        """It names the known ones."""
        with pytest.raises(Misconfigured, match="auto, f32, bf16, int8"):
            resolve_precision("fp16", tiny.path, tiny.profile)

    def test_onnx_runtime_has_f32_only(self, tiny):
        """Nothing to choose from, nothing to measure."""
        assert resolve_precision("auto", tiny.path, tiny.profile, engine="onnx") == "f32"

    @needs_bfloat
    def test_the_answer_is_remembered(self, tiny, tmp_path):
        """By model, size, processor and engine version; the measurement is kept beside it."""
        first = resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path / "a")

        (kept,) = (tmp_path / "a").iterdir()
        answer = json.loads(kept.read_text())
        assert answer["precision"] == first
        assert [trial["precision"] for trial in answer["trials"]] == ["f32", "bf16"]
        assert all(trial["cpu_s"] > 0 for trial in answer["trials"])

    @needs_bfloat
    @pytest.mark.parametrize("remembered", ["f32", "bf16"])
    def test_a_remembered_answer_is_not_measured_again(self, tiny, tmp_path, remembered):
        """Even if it would come out otherwise today."""
        resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path)
        (kept,) = tmp_path.iterdir()
        kept.write_text(json.dumps(json.loads(kept.read_text()) | {"precision": remembered}))

        again = resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path)

        assert again == remembered

    @needs_bfloat
    @pytest.mark.parametrize("damage", ["", "{}", "[]", '{"precision": "f64"}', "\x00"])
    def test_a_damaged_answer_is_measured_again(self, tiny, tmp_path, damage):
        """And replaced."""
        resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path)
        (kept,) = tmp_path.iterdir()
        kept.write_text(damage)

        resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path)

        assert json.loads(kept.read_text())["precision"] in ("f32", "bf16")

    def test_another_model_or_size_is_another_answer(self, tiny):
        """The key holds all that the answer depends on."""
        other = replace(tiny.profile, sha256="1" * 64)

        keys = [
            calibration._key({"f32": (tiny.path, profile)}, size)
            for profile, size in ((tiny.profile, SIZE), (tiny.profile, (64, 64)), (other, SIZE))
        ]

        assert len({json.dumps(key) for key in keys}) == 3

    def test_a_folder_that_cannot_be_written_is_no_error(self, tiny, tmp_path):
        """It is measured every time then."""
        (tmp_path / "file").write_text("in the way")

        precision = resolve_precision("auto", tiny.path, tiny.profile, imgsz=SIZE, cache=tmp_path / "file")

        assert precision in ("f32", "bf16")
