"""Our metrics against TrackEval, the reference implementation, on real sequences."""

import configparser
import contextlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.disk import read_text
from sightline.evaluation import COMBINED, Boxes, Sequence, evaluate, mot_challenge, plain
from sightline.evaluation.matching import Overlaps
from sightline.formats import kitti, mot
from sightline.scoring.score import Scoring, score

TOLERANCE = 1e-9
MOT17 = ("MOT17-02", "MOT17-04", "MOT17-05", "MOT17-09", "MOT17-11")
DANCE = ("dancetrack0018", "dancetrack0026", "dancetrack0043", "dancetrack0065")
KITTI = ("0000", "0004", "0011", "0020")
RULES = {"MOT17": mot_challenge("MOT17"), "MOT20": mot_challenge("MOT20"), "MOT15": plain}


def boxes_of(rows):
    return Boxes.of(rows.frame, rows.object_id, rows.xyxy, rows.class_id, rows.considered)


def golden(real, suite, name):
    path = real / "golden-bytetrack" / suite / f"{name}.txt.gz"
    return boxes_of(mot.read(read_text(path), path.name))


def mot_half(real, suite, name):
    folder = real / f"{suite}-val-half" / name
    truth = mot.read_truth(read_text(folder / "gt_val_half.txt.gz"), name)
    parser = configparser.ConfigParser()
    parser.read(folder / "seqinfo_val_half.ini")
    length = int(parser["Sequence"]["seqLength"])
    return Sequence(name, boxes_of(truth), people(golden(real, suite, name))), length


def people(boxes):
    """ByteTrack's own filter and the two decimals of its result files, which the published figures contain."""
    width, height = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).T
    chosen = boxes[(width * height > 100) & (width <= 1.6 * height)]
    left_top, size = (
        np.round(part, 2) for part in (chosen.xyxy[:, :2], chosen.xyxy[:, 2:] - chosen.xyxy[:, :2])
    )
    return replace(chosen, xyxy=np.hstack([left_top, left_top + size]))


def dance(real, name):
    truth = mot.read_truth(read_text(real / "dancetrack-val" / name / "gt.txt.gz"), name)
    return Sequence(name, boxes_of(truth), people(golden(real, "dance", name))), truth.frames


def car(real, name):
    truth = kitti.read_truth(read_text(real / "kitti-tracking-train" / name / "label_02.txt.gz"), name)
    length = truth.frames
    truth = truth[truth.class_id == kitti.TYPES.index("Car")]
    prediction = golden(real, "kitti-car", f"{name}-car")
    return Sequence(name, boxes_of(truth), prediction), max(length, int(prediction.frame.max()) + 1)


def small(real, name):
    folder = real / "mot15" / name
    truth = mot.read_truth(read_text(folder / "gt.txt.gz"), name)
    found = mot.read(read_text(folder / "tracker_result_sample.txt.gz"), name)
    return Sequence(name, boxes_of(truth), boxes_of(found)), max(truth.frames, found.frames)


def suite_of(real, name):
    if name == "MOT17":
        return [mot_half(real, "mot17", sequence) for sequence in MOT17]
    if name == "MOT20":
        return [mot_half(real, "mot20", "MOT20-01")]
    if name == "dance":
        return [dance(real, sequence) for sequence in DANCE]
    if name == "kitti-car":
        return [car(real, sequence) for sequence in KITTI]
    return [small(real, sequence) for sequence in ("TUD-Campus", "TUD-Stadtmitte")]


def write(path, boxes, columns):
    path.parent.mkdir(parents=True)
    xywh = np.hstack([boxes.xyxy[:, :2], boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]])
    rows = np.column_stack([boxes.frame + 1, boxes.object_id, xywh, *columns])
    np.savetxt(path, rows, delimiter=",", fmt="%.17g")


QUIET = {
    "PRINT_RESULTS": False,
    "PRINT_CONFIG": False,
    "TIME_PROGRESS": False,
    "OUTPUT_SUMMARY": False,
    "OUTPUT_DETAILED": False,
    "PLOT_CURVES": False,
    "DISPLAY_LESS_PROGRESS": True,
    "USE_PARALLEL": False,
    "BREAK_ON_ERROR": True,
    "LOG_ON_ERROR": None,
}


def metrics_of(trackeval):
    quiet = {"PRINT_CONFIG": False}
    return [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]


def judge(benchmark, sequences):
    """TrackEval's results by sequence, COMBINED_SEQ for all."""
    import trackeval

    with tempfile.TemporaryDirectory() as tmp, contextlib.redirect_stdout(io.StringIO()):
        for sequence, _ in sequences:
            truth, n = sequence.truth, len(sequence.prediction)
            judged = [truth.considered, truth.class_id, np.ones(len(truth))]
            write(Path(tmp) / "gt" / sequence.name / "gt" / "gt.txt", truth, judged)
            data = Path(tmp) / "trackers" / sequence.name / "data"
            write(data / "unused", sequence.prediction, [np.ones(n)])
            (data / "unused").rename(data / f"{sequence.name}.txt")
        merged = Path(tmp) / "trackers" / "ours" / "data"
        merged.mkdir(parents=True)
        for sequence, _ in sequences:
            name = f"{sequence.name}.txt"
            (Path(tmp) / "trackers" / sequence.name / "data" / name).rename(merged / name)
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": f"{tmp}/gt",
                "TRACKERS_FOLDER": f"{tmp}/trackers",
                "OUTPUT_FOLDER": f"{tmp}/out",
                "TRACKERS_TO_EVAL": ["ours"],
                "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": {sequence.name: length for sequence, length in sequences},
                "BENCHMARK": benchmark if benchmark in RULES else "MOT17",
                "DO_PREPROC": benchmark in ("MOT17", "MOT20"),
                "PRINT_CONFIG": False,
            }
        )
        result = trackeval.Evaluator(QUIET).evaluate([dataset], metrics_of(trackeval))[0]
        result = result["MotChallenge2DBox"]["ours"]
    return {name: figures(by_class["pedestrian"]) for name, by_class in result.items()}


def figures(found):
    means = {name: np.mean(found["HOTA"][name]) for name in ("HOTA", "DetA", "AssA", "LocA")}
    shares = {name: found["CLEAR"][name] for name in ("MOTA", "MOTP", "IDSW", "Frag", "MT", "PT", "ML")}
    errors = {"FP": found["CLEAR"]["CLR_FP"], "FN": found["CLEAR"]["CLR_FN"]}
    return means | shares | errors | {name: found["Identity"][name] for name in ("IDF1", "IDP", "IDR")}


@pytest.mark.parametrize("benchmark", ["MOT17", "MOT20", "dance", "kitti-car", "MOT15"])
def test_every_figure_equals_trackeval(shared, benchmark):
    """HOTA, CLEAR and identity of each sequence and of all, to nine decimals; events to the last one."""
    sequences = suite_of(shared / "data" / "real", benchmark)
    reference = judge(benchmark, sequences)

    report = evaluate([sequence for sequence, _ in sequences], RULES.get(benchmark, plain))

    assert len(reference) == len(report.rows) + 1
    for row in (*report.rows, report.combined):
        expected = reference["COMBINED_SEQ" if row.name == COMBINED else row.name]
        found = row.figures()
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0, abs=TOLERANCE), (
            row.name
        )


@st.composite
def scenes(draw):
    """Boxes on a coarse grid, so that overlaps tie, in frames of which some are empty."""

    def some(n):
        frame = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 5)))
        object_id = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 4)))
        corner = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(0, 6)))
        size = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(0, 4)))
        boxes = Boxes.of(frame, object_id, np.hstack([corner, corner + size]))
        first = np.unique(np.column_stack([frame, object_id]), axis=0, return_index=True)[1]
        return boxes[first]

    return Sequence("scene", some(draw(st.integers(0, 20))), some(draw(st.integers(0, 20))))


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_any_scene_is_judged_as_trackeval_does(scene):
    """Ties, empty frames, boxes without area, no truth, no prediction."""
    import trackeval

    overlaps = Overlaps.of(scene.truth, scene.prediction)
    true_ids, predicted_ids, similarity = (
        (list(part) for part in zip(*overlaps.frames, strict=True)) if overlaps.frames else ([], [], [])
    )
    raw = {
        "num_timesteps": len(true_ids),
        "num_gt_ids": overlaps.true_ids,
        "num_tracker_ids": overlaps.predicted_ids,
        "num_gt_dets": overlaps.true_boxes,
        "num_tracker_dets": overlaps.predicted_boxes,
        "gt_ids": true_ids,
        "tracker_ids": predicted_ids,
        "similarity_scores": similarity,
    }
    quiet = {"PRINT_CONFIG": False}
    metrics = {
        "HOTA": trackeval.metrics.HOTA(),
        "CLEAR": trackeval.metrics.CLEAR(quiet),
        "Identity": trackeval.metrics.Identity(quiet),
    }

    found = evaluate([scene]).combined.figures()

    expected = figures({name: metric.eval_sequence(raw) for name, metric in metrics.items()})
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0, abs=TOLERANCE)


def test_the_official_tracker_has_its_published_figures(shared):
    """MOT17 validation half: HOTA 69.58, MOTA 78.70, IDF1 81.06, 128 switches, 293 ids for 259 people."""
    sequences = [sequence for sequence, _ in suite_of(shared / "data" / "real", "MOT17")]

    found = evaluate(sequences, mot_challenge("MOT17")).combined.figures()

    assert [round(100 * found[name], 2) for name in ("HOTA", "MOTA", "IDF1")] == [69.58, 78.70, 81.06]
    assert (found["IDSW"], found["true"], found["ids"]) == (128, 259, 293)


# --- KITTI

KITTI_SEQUENCES = ("0000", "0004", "0011", "0015", "0017", "0020")
OBJECT = "%d %d %s -1 -1 -10 %.6f %.6f %.6f %.6f -1 -1 -1 -1000 -1000 -1000 -10 1.0\n"


def golden_objects(real, name, truth):
    """What the official tracker found: cars or pedestrians."""
    for kind, word in (("car", "Car"), ("pedestrian", "Pedestrian")):
        path = real / "golden-bytetrack" / f"kitti-{kind}" / f"{name}-{kind}.txt.gz"
        if path.exists():
            rows = mot.read(read_text(path), path.name, first_frame=0)
            for frame, object_id, xyxy in zip(rows.frame, rows.object_id, rows.xyxy.tolist(), strict=True):
                yield OBJECT % (frame, object_id, word, *xyxy)


def shifted_truth(real, name, truth):
    """The truth itself as a clumsy tracker gives it: vans as cars, who sits as pedestrian, areas that nobody judges as
    both, boxes that move and shrink, some twice.
    """
    words = {"Van": "Car", "Person": "Pedestrian"}
    for row, (frame, object_id, label) in enumerate(
        zip(truth.frame.tolist(), truth.object_id.tolist(), truth.label, strict=True)
    ):
        x1, y1, x2, y2 = truth.xyxy[row].tolist()
        shrink = (row % 7) / 20 * (y2 - y1)
        box = x1 + row % 5, y1 + shrink, x2 + row % 5, y2
        number = object_id if object_id >= 0 else 10_000 + row
        for word in ("Car", "Pedestrian") if label == "DontCare" else (words.get(label, label),):
            yield OBJECT % (frame, number, word, *box)
            if row % 3 == 0:
                yield OBJECT % (frame, 20_000 + row, word, x1, y1, x2, y1 + 20)


@pytest.mark.parametrize("tracker", [golden_objects, shifted_truth])
def test_every_figure_of_kitti_equals_trackeval(shared, tmp_path, tracker):
    """Cars and pedestrians by KITTI's rules: vans, who sits, hidden and cut objects, small boxes, DontCare areas."""
    real = shared / "data" / "real"
    (tmp_path / "gt" / "label_02").mkdir(parents=True)
    (tmp_path / "trackers" / "ours" / "data").mkdir(parents=True)
    seqmap = ""
    for name in KITTI_SEQUENCES:
        text = read_text(real / "kitti-tracking-train" / name / "label_02.txt.gz")
        truth = kitti.read_truth(text, name)
        found = list(tracker(real, name, truth))
        last = max(truth.frames, *(int(line.split()[0]) + 1 for line in found))
        seqmap += f"{name} empty 000000 {last:06d}\n"
        (tmp_path / "gt" / "label_02" / f"{name}.txt").write_text(text)
        (tmp_path / "trackers" / "ours" / "data" / f"{name}.txt").write_text("".join(found))
    (tmp_path / "gt" / "evaluate_tracking.seqmap.training").write_text(seqmap)
    expected = judge_kitti(tmp_path)

    reports = score(tmp_path / "gt", tmp_path / "trackers", Scoring("kitti"))

    for group, word in (("cars", "car"), ("people", "pedestrian")):
        for row in (*reports[group].rows, reports[group].combined):
            wanted = expected["COMBINED_SEQ" if row.name == COMBINED else row.name][word]
            made = row.figures()
            assert {name: made[name] for name in wanted} == pytest.approx(wanted, rel=0, abs=TOLERANCE), (
                group,
                row.name,
            )


def judge_kitti(folder):
    """TrackEval's results by sequence and type."""
    import trackeval

    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.Kitti2DBox(
            {
                "GT_FOLDER": f"{folder}/gt",
                "TRACKERS_FOLDER": f"{folder}/trackers",
                "OUTPUT_FOLDER": f"{folder}/out",
                "TRACKERS_TO_EVAL": ["ours"],
                "PRINT_CONFIG": False,
            }
        )
        result = trackeval.Evaluator(QUIET).evaluate([dataset], metrics_of(trackeval))[0]["Kitti2DBox"][
            "ours"
        ]
    return {
        name: {word: figures(found) for word, found in by_class.items()} for name, by_class in result.items()
    }
