"""`eval`: ground truth and tracks, paired by name."""

import gzip
import json

import pytest

from sightline.app.score import pairs
from sightline.cli import main
from sightline.errors import NotFound

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
