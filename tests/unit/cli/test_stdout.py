"""One format on standard output."""

import io
import os
import subprocess
import sys

import pytest

from sightline.cli.stdout import track_to_stdout
from sightline.errors import Misconfigured
from sightline.settings import DetectOptions, TrackOptions
from sightline.telemetry import NULL
from tests.unit.scene import images

MOT = "".join(f"{frame},-1,{10 + frame},20,30,40,0.9,-1,-1,-1\n" for frame in range(1, 21))


@pytest.fixture
def text(tmp_path):
    """Detections made elsewhere: one object in twenty frames."""
    path = tmp_path / "det.txt"
    path.write_text(MOT)
    return path


def shown(sources, options=None, command: str = "track") -> str:
    out = io.BytesIO()
    track_to_stdout(sources, options or TrackOptions(), NULL, out, command=command)
    return out.getvalue().decode()


def tiny(**options) -> TrackOptions:
    return TrackOptions.model_validate({"model": "sightline-tiny", "workers": 1, **options})


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return images(tmp_path_factory.mktemp("source") / "street", 3)


def test_tracks_of_a_text_are_a_text(text):
    """Nothing else is on the stream; the report has no path, the folder is gone."""
    out = io.BytesIO()
    (report,) = track_to_stdout([text], TrackOptions(), NULL, out, command="track")

    lines = out.getvalue().decode().splitlines()
    assert len(lines) == 20
    assert {line.split(",")[1] for line in lines} == {"1"}
    assert (report.state, report.path) == ("done", None)


def test_no_group_of_a_text_is_left_out(tmp_path):
    """Each group has a file of its own: one fits, two are refused."""
    path = tmp_path / "det.txt"
    rows = [f"{f},-1,{10 + f + 90 * c},20,30,40,0.9,{c},-1,-1\n" for f in range(1, 21) for c in (1, 4)]
    path.write_text("".join(rows))

    with pytest.raises(Misconfigured, match="cars, people"):
        shown([path])
    for chosen in ("cars", "car", "4"):
        assert len(shown([path], TrackOptions(classes=(chosen,))).splitlines()) == 20


def test_csv_is_what_comes_where_nothing_is_named(street):
    """tracks.csv with its header; for `detect` detections.csv."""
    tracks = shown([street], tiny())
    options = DetectOptions.model_validate({"model": "sightline-tiny", "pipeline": "detect", "workers": 1})
    detections = shown([street], options, "detect")

    assert tracks.startswith("video_id,frame,seq,pts_us,group,track_id")
    assert detections.startswith("video_id,frame,seq,pts_us,group,track_id")


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", ["json-b", "ndjson", "visdrone"])
def test_only_files_of_the_format_are_shown(street, name, keep):
    """No segments, no counts, no unfinished parts, and no run.json."""
    written = shown([street], tiny(formats=[name], keep=keep))

    assert "run_key" not in written
    assert "SLSEGMNT" not in written
    assert "SQLite" not in written
    first = {"json-b": "[{", "ndjson": "", "visdrone": ""}[name]
    assert written.startswith(first)


def test_a_folder_called_segments_hides_nothing(street, tmp_path):
    """Wherever temporary files lie; nothing stays there."""
    place = tmp_path / "segments"
    place.mkdir()
    program = f"""
import sys
from pathlib import Path
from sightline.cli.stdout import track_to_stdout
from sightline.settings import TrackOptions
from sightline.telemetry import NULL
options = TrackOptions(model="sightline-tiny", formats=("csv",), workers=1)
track_to_stdout([Path({str(street)!r})], options, NULL, sys.stdout.buffer, command="track")
"""

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("video_id,frame")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("formats", [["csv", "mot"], ["video"], ["parquet"]])
def test_more_than_one_text_is_refused(text, formats):
    """A stream holds one thing."""
    with pytest.raises(Misconfigured, match="one text format"):
        shown([text], TrackOptions.model_validate({"formats": formats}))


@pytest.mark.parametrize(("formats", "message"), [(["csv-a"], "has five"), (["mot"], "cars, people")])
def test_a_format_of_several_files_is_refused_before_anything_is_done(street, formats, message):
    """Two files in one stream are none."""
    heard = []

    class Hears:
        def emit(self, event: object) -> None:
            heard.append(event)

    with pytest.raises(Misconfigured, match=message):
        track_to_stdout([street], tiny(formats=formats), Hears(), io.BytesIO(), command="track")
    assert heard == []


def test_several_sources_are_refused(street, text):
    """Each has a file of its own."""
    with pytest.raises(Misconfigured, match="2 sources"):
        shown([street, text], tiny())


def test_a_text_becomes_any_format(text):
    """MOT text where nothing is named."""
    assert shown([text], TrackOptions(formats=("csv",))).startswith(
        "video_id,frame,seq,pts_us,group,track_id"
    )
    assert shown([text], TrackOptions(formats=("mot",))) == shown([text])


def test_a_video_is_no_text(text):
    """As with --format video."""
    with pytest.raises(Misconfigured, match="one text format"):
        shown([text], TrackOptions(save_video=True))
