"""Export: a finished run in any format, as if it had been asked for at once."""

import json
import shutil

import pytest

from sightline.app.track import track
from sightline.cli import main
from sightline.errors import InvalidFile, Misconfigured
from sightline.formats.registry import FORMATS
from sightline.runs.export import export
from sightline.settings import DetectOptions
from tests.unit.scene import LABELS, images, see


@pytest.mark.parametrize("target", ["mot", "csv", "csv-a", "json-b"])
def test_files_are_those_of_the_run(finished, target):
    """Byte for byte."""
    made = {name: b"".join(content) for name, content in export(finished.path, target)}

    assert made
    assert made == {name: (finished.path / name).read_bytes() for name in made}


@pytest.mark.parametrize("target", [*FORMATS, "parquet"])
def test_every_format_is_made_of_a_run(finished, tmp_path, target):
    """None of them needs inference, and each gives files that are not empty."""
    assert main(["convert", str(finished.path), str(tmp_path / "out"), "--to", target]) == 0

    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files
    assert sum(path.stat().st_size for path in files) > 100


def test_frames_are_those_of_the_video(finished, tmp_path):
    """Labels of the picture that `ffmpeg` numbers 1 are those of frame 0; what could not be decoded has none."""
    main(["convert", str(finished.path), str(tmp_path), "--to", "yolo"])

    labels = sorted((tmp_path / "yolo" / "labels").rglob("*.txt"))
    frames = finished.result.frames
    assert [int(path.stem) - 1 for path in labels] == [
        frame for frame, outcome in zip(frames.frame.tolist(), frames.outcome, strict=True) if outcome == "ok"
    ]


def test_very_many_files_are_counted_by_folder(finished, tmp_path, capsys):
    """One a frame would scroll everything else away; with --json each is named."""
    words = ["convert", str(finished.path), str(tmp_path), "--to", "yolo"]
    main(words)
    shown = capsys.readouterr().out.splitlines()
    main([*words, "--overwrite", "--json"])
    files = json.loads(capsys.readouterr().out)["files"]

    assert len(shown) == 3
    assert shown[-1] == f"{tmp_path}: {len(files)} files in all"


def test_runs_of_one_command_have_a_folder_each(finished, tmp_path, capsys):
    """Even where it is one video alone: what is found where does not depend on their number."""
    root = tmp_path / "track"
    shutil.copytree(finished.path, root / "a")
    shutil.copytree(finished.path, root / "b")

    assert main(["convert", str(root), str(tmp_path / "out"), "--to", "coco", "--json"]) == 0

    files = json.loads(capsys.readouterr().out)["files"]
    assert files == [str(tmp_path / "out" / name / "coco.json") for name in ("a", "b")]


@pytest.mark.parametrize(
    "flag", [["--fps", "25"], ["--from", "mot"], ["--detections"], ["--first-frame", "0"]]
)
def test_what_a_run_says_itself_cannot_be_said(finished, tmp_path, flag, capsys):
    """A flag without effect would look as if it had one."""
    assert main(["convert", str(finished.path), str(tmp_path / "out"), "--to", "mot", *flag]) == 2

    assert flag[0] in capsys.readouterr().err


def test_what_cannot_be_made_of_a_run_is_said(finished, tmp_path):
    """Pictures are drawn by render; no such format; no such run."""
    with pytest.raises(Misconfigured, match="sightline render"):
        list(export(finished.path, "video"))
    with pytest.raises(Misconfigured, match="there are mot"):
        list(export(finished.path, "xml"))
    assert main(["convert", str(tmp_path), str(tmp_path / "out"), "--to", "mot"]) == 3


def test_a_run_without_tracks_has_no_text_of_tracks(tmp_path):
    """`detect` leaves detections alone."""
    source = images(tmp_path / "small", 4)
    [report] = track(
        [source], DetectOptions(out=tmp_path / "out"), command="detect", function=see, labels=LABELS
    )
    seen = report.path

    with pytest.raises(InvalidFile, match="tracks"):
        list(export(seen, "mot"))
    assert [name for name, _ in export(seen, "csv")] == ["detections.csv"]
