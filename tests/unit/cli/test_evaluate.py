"""`eval`: ground truth and tracks, paired by name."""

import gzip
import json

import pytest

from sightline.cli import main
from sightline.errors import NotFound
from sightline.formats.text import short_name
from sightline.scoring.score import pairs

TRUTH = "".join(f"{frame},1,{frame},0,20,20,1,1,1\n" for frame in range(1, 21))
TRACKS = "".join(f"{frame},5,{frame},0,20,20,0.9,-1,-1,-1\n" for frame in range(1, 21))
VISDRONE_TRUTH = "".join(f"{frame},1,{frame},0,20,20,1,4,0,0\n" for frame in range(1, 21))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return path


def score(*words):
    return main(["eval", *map(str, words)])


def test_a_perfect_tracker_has_all_points(tmp_path, capsys):
    """Ids may differ, identities may not."""
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", TRACKS)

    assert score("--gt", gt, "--pred", pred) == 0

    header, row, combined = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["sequence", "HOTA"]
    assert row.split()[:2] == ["gt", "100.00"]
    assert combined.split()[:2] == ["COMBINED", "100.00"]


@pytest.mark.parametrize(
    "place", ["a.txt", "a.txt.gz", "a/gt/gt.txt", "a/gt_half.txt.gz", "annotations/a.txt"]
)
def test_ground_truth_is_found_in_the_usual_layouts(tmp_path, place):
    """Flat, MOTChallenge, VisDrone; gzipped or not."""
    write(tmp_path / "gt" / place, TRUTH)
    tracks = write(tmp_path / "pred" / "a.txt", TRACKS)

    assert pairs(tmp_path / "gt", tmp_path / "pred") == [("a", tmp_path / "gt" / place, tracks)]


def test_tracks_of_a_run_folder_are_found_by_group(tmp_path):
    """`mot/cars/a.txt` is for the cars, a file in no group's folder for all."""
    write(tmp_path / "gt" / "a.txt", VISDRONE_TRUTH)
    cars = write(tmp_path / "run" / "a" / "mot" / "cars" / "a.txt", TRACKS)
    people = write(tmp_path / "run" / "a" / "mot" / "people" / "a.txt", TRACKS)

    def found(group):
        return pairs(tmp_path / "gt", tmp_path / "run", (), group, ("cars", "people"))[0][2]

    assert (found("cars"), found("people")) == (cars, people)
    with pytest.raises(NotFound, match="more than one prediction of a"):
        pairs(tmp_path / "gt", tmp_path / "run")


def test_one_group_of_a_run_is_judged_by_its_name(tmp_path, capsys):
    """Without it the two groups of a run are two predictions; a group that is not there is none."""
    write(tmp_path / "gt" / "a.txt", TRUTH)
    write(tmp_path / "run" / "a" / "mot" / "cars" / "a.txt", TRACKS)
    write(tmp_path / "run" / "a" / "mot" / "people" / "a.txt", "1,1,0,0,9,9,0.9,-1,-1,-1\n")
    both = ("--gt", tmp_path / "gt", "--pred", tmp_path / "run")

    assert score(*both, "--group", "cars") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["cars", "a", "100.00"]
    assert score(*both) == 3
    assert "--group" in capsys.readouterr().err
    assert score(*both, "--group", "bikes") == 3
    assert "no prediction of a" in capsys.readouterr().err
    assert score(*both, "--group", "cars", "--visdrone") == 2


def test_a_sequence_without_a_prediction_is_an_error(tmp_path, capsys):
    """To leave it out in silence would flatter the tracker; `--sequence` leaves it out in the open."""
    for name in ("a", "b"):
        write(tmp_path / "gt" / f"{name}.txt", TRUTH)
    write(tmp_path / "pred" / "a.txt", TRACKS)
    words = ["--gt", tmp_path / "gt", "--pred", tmp_path / "pred"]

    assert score(*words) == 3
    assert "no prediction of b" in capsys.readouterr().err
    assert score(*words, "--sequence", "a") == 0
    assert score(*words, "--sequence", "c") == 3


def test_visdrone_is_judged_by_group(tmp_path, capsys):
    """Cars and people, each with its own categories."""
    write(tmp_path / "gt" / "annotations" / "a.txt", VISDRONE_TRUTH)
    write(tmp_path / "pred" / "a.txt", VISDRONE_TRUTH.replace(",4,0,0", ",4,-1,-1"))

    assert score("--gt", tmp_path / "gt", "--pred", tmp_path / "pred", "--visdrone", "--json") == 0

    groups = json.loads(capsys.readouterr().out)["groups"]
    assert groups["cars"]["combined"]["HOTA"] == pytest.approx(1)
    assert groups["people"]["sequences"]["a"]["true"] == 0


def test_detections_are_not_tracks(tmp_path, capsys):
    """Boxes without ids cannot be judged."""
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", TRACKS.replace(",5,", ",-1,"))

    assert score("--gt", gt, "--pred", pred) == 3

    assert "track them first" in capsys.readouterr().err


def test_frames_of_both_sides_may_have_numbers_of_their_own(tmp_path, capsys):
    """A validation half is numbered anew, tracks keep the input's numbers."""
    late = "".join(f"{frame + 300},5,{frame},0,20,20,0.9,-1,-1,-1\n" for frame in range(1, 21))
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", late)

    assert score("--gt", gt, "--pred", pred, "--pred-first-frame", "301", "--json") == 0

    assert json.loads(capsys.readouterr().out)["groups"]["all"]["combined"]["HOTA"] == pytest.approx(1)


def test_two_rules_are_refused(tmp_path, capsys):
    """`--visdrone` is a benchmark of its own."""
    assert score("--gt", tmp_path, "--pred", tmp_path, "--visdrone", "--benchmark", "mot17") == 2


# --- names


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("gt/MOT17-02/gt/gt.txt", "gt"),
        ("gt/MOT17-02/gt/gt.txt", "gt/MOT17-02"),
        ("gt/MOT17-02/gt/gt.txt", "gt/MOT17-02/gt/gt.txt"),
        ("gt/MOT17-02-FRCNN/gt/gt.txt", "gt"),
        ("kitti/label_02/MOT17-02.txt", "kitti"),
        ("kitti/label_02/MOT17-02.txt", "kitti/label_02"),
        ("kitti/MOT17-02/label_02.txt.gz", "kitti"),
        ("visdrone/annotations/MOT17-02.txt", "visdrone"),
    ],
)
@pytest.mark.parametrize("video", ["MOT17-02", "MOT17-02_img1", "MOT17-02-SDP"])
def test_what_track_wrote_is_found_for_every_layout_of_truth(tmp_path, place, asked, video):
    """Sequences are named by folder or file, runs by the video or by its folder of images."""
    truth = write(tmp_path / place, TRUTH)
    other = write(tmp_path / "results" / "other" / "mot" / "people" / "other.txt", TRACKS)
    path = write(tmp_path / "results" / video / "mot" / "people" / f"{video}.txt", TRACKS)

    [(_, found_truth, found)] = pairs(tmp_path / asked, tmp_path / "results")

    assert (found_truth, found) == (truth, path)
    assert other.exists()


def test_the_only_prediction_is_that_of_the_only_sequence(tmp_path, capsys):
    """Whatever it is called, and it is said."""
    write(tmp_path / "MOT17-02" / "gt" / "gt.txt", TRUTH)
    write(tmp_path / "results" / "img1" / "mot" / "people" / "img1.txt", TRACKS)

    assert score("--gt", tmp_path / "MOT17-02", "--pred", tmp_path / "results") == 0

    assert "MOT17-02 is compared with img1" in capsys.readouterr().err


def test_a_long_name_is_found_as_track_cuts_it(tmp_path):
    """The folder of a run has 100 bytes at most."""
    name = "n" * 200
    write(tmp_path / "gt" / f"{name}.txt", TRUTH)
    short = short_name(name)
    path = write(tmp_path / "results" / short / "mot" / "cars" / f"{short}.txt", TRACKS)

    assert pairs(tmp_path / "gt", tmp_path / "results")[0][2] == path


def test_what_is_missing_is_said_with_what_there_is(tmp_path, capsys):
    """A name that was misspelt is seen at once; a run without text says how to make it."""
    for name in ("a", "b"):
        write(tmp_path / "gt" / f"{name}.txt", TRUTH)
    write(tmp_path / "pred" / "c.txt", TRACKS)
    write(tmp_path / "run" / "a" / "run.json", "{}")

    assert score("--gt", tmp_path / "gt", "--pred", tmp_path / "pred") == 3
    assert "no prediction of a: expected a.txt; there are c" in capsys.readouterr().err
    assert score("--gt", tmp_path / "gt", "--pred", tmp_path / "run") == 3
    assert "--to mot" in capsys.readouterr().err
    assert score("--gt", tmp_path / "gt", "--pred", tmp_path / "nowhere") == 3
    assert "no such file or folder" in capsys.readouterr().err


# --- frames and classes


def test_files_without_a_common_frame_are_refused_with_both_ranges(tmp_path, capsys):
    """A score of 0 would look like a bad tracker."""
    late = "".join(f"{frame + 300},5,{frame},0,20,20,0.9,-1,-1,-1\n" for frame in range(1, 21))
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", late)

    assert score("--gt", gt, "--pred", pred) == 3

    said = capsys.readouterr().err
    assert "tracks in frames 301 to 320, ground truth in 1 to 20: no frame is in both" in said


@pytest.mark.parametrize(
    ("tracks", "said"),
    [
        (
            "".join(TRACKS.splitlines(keepends=True)[:5]),
            "frames 1 to 5, ground truth in 1 to 20: less than half",
        ),
        ("", "no track in pred.txt, ground truth in frames 1 to 20"),
    ],
)
def test_files_of_few_common_frames_are_judged_with_a_warning(tmp_path, capsys, tracks, said):
    """It may be meant."""
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", tracks)

    assert score("--gt", gt, "--pred", pred) == 0

    assert said in capsys.readouterr().err


def test_classes_choose_what_is_judged(tmp_path, capsys):
    """In the truth, and in tracks that have classes."""
    truth = VISDRONE_TRUTH + "".join(f"{frame},2,{frame},50,20,20,1,1,0,0\n" for frame in range(1, 21))
    gt = write(tmp_path / "gt.txt", truth)
    pred = write(tmp_path / "pred.txt", VISDRONE_TRUTH.replace(",1,4,0,0", ",1,4,-1,-1"))
    both = ("--gt", gt, "--pred", pred, "--json")

    assert score(*both, "--classes", "Car") == 0
    assert json.loads(capsys.readouterr().out)["groups"]["all"]["combined"]["HOTA"] == pytest.approx(1)
    assert score(*both, "--classes", "car,pedestrian") == 0
    assert json.loads(capsys.readouterr().out)["groups"]["all"]["combined"]["FN"] == 20
    assert score(*both, "--classes", "cat") == 2
    assert "did you mean car" in capsys.readouterr().err
    assert score(*both, "--classes", "car", "--benchmark", "visdrone") == 2


# --- KITTI

KITTI = "{frame} {id} {type} 0 0 -10 {x} 100 {x2} 160 -1 -1 -1 -1000 -1000 -1000 -10"


def kitti(*objects, frames=12):
    return "".join(
        KITTI.format(frame=frame, id=number, type=word, x=place + frame, x2=place + frame + 50) + "\n"
        for frame in range(frames)
        for number, word, place in objects
    )


def test_kitti_judges_cars_and_pedestrians_by_its_rules(tmp_path, capsys):
    """A van is no car and no error to find; a group's text of a run has no types; the two are judged apart."""
    write(tmp_path / "label_02" / "0000.txt", kitti((1, "Car", 0), (2, "Van", 200), (3, "Pedestrian", 400)))
    cars = "".join(
        f"{f + 1},{i},{x + f},100,50,60,0.9,-1,-1,-1\n" for f in range(12) for i, x in ((1, 0), (2, 200))
    )
    people = "".join(f"{f + 1},1,{400 + f},100,50,60,0.9,-1,-1,-1\n" for f in range(12))
    write(tmp_path / "results" / "0000" / "mot" / "cars" / "0000.txt", cars)
    write(tmp_path / "results" / "0000" / "mot" / "people" / "0000.txt", people)

    assert score("--gt", tmp_path, "--pred", tmp_path / "results", "--benchmark", "kitti", "--json") == 0

    groups = json.loads(capsys.readouterr().out)["groups"]
    assert [groups[name]["combined"]["HOTA"] for name in ("cars", "people")] == pytest.approx([1, 1])
    assert groups["cars"]["combined"]["FP"] == 0


def test_tracks_of_detections_in_text_are_judged_by_the_numbers_of_their_run(tmp_path, capsys):
    """KITTI counts frames from 0, and so does the MOT text of a run on KITTI's detections."""
    write(tmp_path / "gt" / "label_02" / "0000.txt", kitti((1, "Car", 0), frames=30))
    found = kitti((1, "Car", 0), frames=30)
    source = write(tmp_path / "0000.txt", found)
    assert (
        main(["track", str(source), "--fps", "10", "-o", str(tmp_path / "results"), "--size", "640x480"]) == 0
    )
    capsys.readouterr()

    assert score("--gt", tmp_path / "gt", "--pred", tmp_path / "results", "--group", "cars", "--json") == 0

    assert json.loads(capsys.readouterr().out)["groups"]["cars"]["combined"]["HOTA"] > 0.9


def test_a_run_of_cars_alone_is_judged_for_cars_alone(tmp_path, capsys):
    """A group of another name is not taken for people, and that nobody was looked for is said."""
    write(tmp_path / "label_02" / "0000.txt", kitti((1, "Car", 0), (3, "Pedestrian", 400)))
    cars = "".join(f"{f + 1},1,{f},100,50,60,0.9,-1,-1,-1\n" for f in range(12))
    for group in ("cars", "cyclist"):
        write(tmp_path / "results" / "0000" / "mot" / group / "0000.txt", cars)

    assert score("--gt", tmp_path, "--pred", tmp_path / "results", "--benchmark", "kitti", "--json") == 0

    out, err = capsys.readouterr()
    assert list(json.loads(out)["groups"]) == ["cars"]
    assert "people are not judged" in err


def test_types_of_a_text_of_kitti_choose_what_is_judged(tmp_path, capsys):
    """One text for both, as `--format kitti` writes it; what is no car is no wrong car."""
    truth = write(tmp_path / "0000.txt", kitti((1, "Car", 0)))
    tracks = write(tmp_path / "pred" / "0000.txt", kitti((1, "Car", 0), (2, "Truck", 200), (3, "Tram", 400)))

    assert score("--gt", truth, "--pred", tracks, "--benchmark", "kitti", "--json") == 0

    found = json.loads(capsys.readouterr().out)["groups"]["cars"]["combined"]
    assert (found["HOTA"], found["FP"]) == (pytest.approx(1), 0)


def test_truth_in_which_nothing_is_judged_is_said(tmp_path, capsys):
    """Cars under the rules of people: every figure is nonsense."""
    gt = write(tmp_path / "label_02" / "0000.txt", kitti((1, "Car", 0)))
    pred = write(tmp_path / "0000.txt", TRACKS)

    assert score("--gt", gt, "--pred", pred, "--benchmark", "mot17") == 0
    assert "no object of the ground truth is judged under MOT17's rules" in capsys.readouterr().err


def test_a_group_against_truth_of_several_labels_is_said(tmp_path, capsys):
    """With `--classes` it is meant."""
    gt = write(tmp_path / "gt" / "0000.txt", kitti((1, "Car", 0), (2, "Pedestrian", 300)))
    write(tmp_path / "run" / "0000" / "mot" / "cars" / "0000.txt", TRACKS)
    both = ("--gt", gt.parent, "--pred", tmp_path / "run", "--group", "cars")

    score(*both)
    assert "all of the ground truth, Car, Pedestrian; --classes chooses" in capsys.readouterr().err
    score(*both, "--classes", "car")
    assert "--classes chooses" not in capsys.readouterr().err


def test_kittis_rules_need_kittis_truth(tmp_path, capsys):
    """MOT text does not say what is hidden."""
    gt, pred = write(tmp_path / "gt.txt", TRUTH), write(tmp_path / "pred.txt", TRACKS)

    assert score("--gt", gt, "--pred", pred, "--benchmark", "kitti") == 3

    assert "label_02" in capsys.readouterr().err
