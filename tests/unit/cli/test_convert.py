"""`convert`: text of one video in, files or stdout out."""

import json

import pytest

from sightline.cli import main

MOT = "1,7,10,20,30,40,0.9,-1,-1,-1\n2,7,11,20,30,40,0.8,-1,-1,-1\n"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "street.txt"
    path.write_text(MOT)
    return path


def test_a_format_of_one_file_goes_where_the_name_says(source, tmp_path, capsys):
    """A name with an ending is a file."""
    assert main(["convert", str(source), str(tmp_path / "out.json"), "--to", "coco"]) == 0

    [first, _] = json.loads((tmp_path / "out.json").read_text())
    assert first["bbox"] == [10, 20, 30, 40]
    assert capsys.readouterr().out.strip() == str(tmp_path / "out.json")


def test_a_format_of_several_files_goes_into_a_folder(source, tmp_path):
    """Detections and tracks, with their own names."""
    assert main(["convert", str(source), str(tmp_path / "out"), "--to", "csv"]) == 0

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["detections.csv", "tracks.csv"]


def test_one_file_can_go_to_stdout(source, capfdbinary):
    """For a pipe."""
    assert main(["convert", str(source), "-", "--to", "mot"]) == 0

    assert capfdbinary.readouterr().out.decode().startswith("1,7,10.000,20.000")


def test_files_that_are_there_are_kept(source, tmp_path, capsys):
    """Unless they may be replaced."""
    words = ["convert", str(source), str(tmp_path / "out.txt"), "--to", "mot"]
    (tmp_path / "out.txt").write_text("mine")

    assert main(words) == 2
    assert (tmp_path / "out.txt").read_text() == "mine"
    assert main([*words, "--overwrite"]) == 0
    assert (tmp_path / "out.txt").read_text() != "mine"


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--to", "mpt"], 2, "no format 'mpt'"),
        (["--to", "mot", "--from", "xml"], 2, "no text format 'xml'"),
        (["--to", "mot", "--fps", "0"], 2, "--fps = '0'"),
        (["--to", "mot", "--size", "640"], 2, "needs width and height"),
        (["--to", "mot", "--first-frame", "5"], 3, "street.txt, line 1"),
    ],
)
def test_what_cannot_be_converted_is_named(source, tmp_path, capsys, more, code, message):
    """Flags are code 2, the file is code 3."""
    assert main(["convert", str(source), str(tmp_path / "out"), *more]) == code

    assert message in capsys.readouterr().err


def test_stdout_takes_one_file_and_no_json(source, capsys):
    """Nothing may mix with the result."""
    assert main(["convert", str(source), "-", "--to", "csv"]) == 2
    assert main(["convert", str(source), "-", "--to", "mot", "--json"]) == 2
