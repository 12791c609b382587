"""`sightline speeds`: what is shown and what is written."""

import json

import pytest

from sightline.cli import main
from tests.relisted import panned

PLANE = {
    "points": [[10, 10], [100, 10], [100, 90], [10, 90]],
    "unit": "px",
    "sides": [9, 8, 9, 8],
    "error_px": 0.1,
}


@pytest.fixture
def plane(tmp_path):
    path = tmp_path / "plane.json"
    path.write_text(json.dumps(PLANE))
    return str(path)


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.json"
    path.write_text('[{"name": "middle", "a": [0.5, 1], "b": [0.5, 0]}]')
    return str(path)


def test_a_table_for_people(finished, plane, lines, capsys):
    """A row a group, then one for each line and direction."""
    assert main(["speeds", str(finished.path), "--plane", plane, "--lines", lines]) == 0

    out, err = capsys.readouterr()
    header, cars, people, middle = out.splitlines()
    assert header.split() == [
        "video",
        "line",
        "direction",
        "group",
        "objects",
        "measured",
        "km/h",
        "half",
        "between",
        "error",
        "headings",
    ]
    assert cars.split()[:4] == ["street", "cars", "2", "2"]
    assert "up 1, right 1" in cars
    assert people.split() == ["street", "people", "1", "0"]
    assert middle.split()[:6] == ["street", "middle", "in", "cars", "1", "1"]
    assert err == ""


def test_an_object_for_machines(finished, plane, tmp_path, capsys):
    """With the files that were written."""
    out = tmp_path / "speeds.csv"

    assert main(["speeds", str(finished.path), "--plane", plane, "-o", str(out), "--json"]) == 0

    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["files"] == [str(out)]
    assert [each["track_id"] for each in run["objects"]] == [1, 2, 1]
    assert out.read_text().count("\n") == 4


def test_rows_on_stdout(finished, lines, capsys):
    """Of objects, or with lines of crossings."""
    main(["speeds", str(finished.path), "-o", "-"])
    objects = capsys.readouterr().out.splitlines()
    main(["speeds", str(finished.path), "--lines", lines, "-o", "-"])
    crossings = capsys.readouterr().out.splitlines()

    assert (len(objects), objects[0].startswith("video_id,group,track_id")) == (4, True)
    assert (len(crossings), crossings[0].startswith("video_id,name,direction")) == (2, True)


def test_where_the_camera_was_lost(run_copy, lines, capsys):
    """A warning for headings, one for lines."""
    panned(run_copy, stretch=1)

    main(["speeds", str(run_copy), "--lines", lines])

    warnings = capsys.readouterr().err
    assert "nothing is known of headings and speeds" in warnings
    assert "nothing is known of middle" in warnings


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["missing"], 3, "missing"),
        ([], 2, "no run"),
        (["RUN", "--plane", "none.json"], 3, "none.json"),
        (["RUN", "-o", "-", "--json"], 2, "--json would mix"),
        (["RUN", "-o", "speeds.xlsx"], 2, "written as .csv or .json"),
    ],
)
def test_what_cannot_be_done_says_so(finished, tmp_path, monkeypatch, capsys, words, code, says):
    monkeypatch.chdir(tmp_path)

    assert main(["speeds", *(str(finished.path) if word == "RUN" else word for word in words)]) == code

    assert says in "".join(capsys.readouterr())
