"""The public API is typed: a user's program passes mypy --strict, and a wrong one does not."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import get_type_hints

import pytest
from tools.docs.commands import blocks

import sightline
from sightline.run import plain
from sightline.settings import TrackerOptions, TrackOptions
from sightline.settings.typed import TrackArguments, TrackerArguments

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

PROGRAM = """
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sightline as sl


def find(frames: Sequence[NDArray[np.uint8]]) -> list[sl.Detections]:
    return [sl.Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64)) for _ in frames]


run: sl.Run = sl.track("street.mp4", detector=find, labels=["car"], classes=["car"], out="results")
counts: dict[str, int] = run.counts
both: list[sl.Run] = sl.track(
    ["a.mp4", "b.mp4"], tracker={"track_buffer": 60}, format="csv", start="10s", imgsz=(640, 384), model=Path("m.onnx")
)
line = sl.Line("north", (0.1, 0.5), (0.9, 0.5))
zone = sl.Zone("yard", ((0, 0), (1, 0), (1, 1)))
recount: sl.Recount = run.count(lines=[line], zones=[zone], bins="15min", out="counts")
rows = recount.bins
made = sl.Detections([[0, 0, 1, 1]], np.ones(1, np.float32), [0])
first: int = rows[0].count
for pts_us, groups in run.frames():
    tracks: sl.Tracks = groups["cars"]
    late: bool = pts_us > 1_000_000
    boxes: NDArray[np.float64] = tracks[tracks.confidence > 0.5].xyxy
    print(late, boxes.sum(), len(tracks))
paths = [path.name for path in run.save("out", formats=["mot", "parquet"])]
again = sl.load(run.path)
crossings: int = len(sl.count_joined([run, "runs/track2"], [line], start_time="2024-05-17T07:00:00+02:00").events)
plane = sl.Plane(((0, 0), (9, 0), (9, 5), (0, 5)), ((0, 0), (18, 0), (18, 10), (0, 10)), "px")
speeds: sl.Speeds = run.speeds(plane, lines=[line], out="speeds.csv")
kmh: list[float | None] = [way.speed_kmh for way in speeds.ways]
version: str = sl.__version__
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Mypy's findings on a program, outside of the repository and its settings."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")

    def check(program: str) -> str:
        (folder / "program.py").write_text(program)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", str(folder / "cache"), "program.py"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert not done.stderr, done.stderr
        return done.stdout

    return check


def test_a_program_that_uses_the_public_api_is_typed(checked):
    """Every public name, without an `Any` where a type is known."""
    used = {name for name in sightline.__all__ if f"sl.{name}" in PROGRAM}

    assert used == set(sightline.__all__)
    assert "Success" in checked(PROGRAM)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("print(run.coutns)", 'has no attribute "coutns"'),
        ("sl.load(7)", 'incompatible type "int"'),
        ("sl.Line('north', (0.1, 0.5))", "Missing positional argument"),
        ("number: int = run.counts", "Incompatible types in assignment"),
        ("sl.track('a.mp4', cnof=0.5)", 'Unexpected keyword argument "cnof"'),
        ("sl.track('a.mp4', conf='high')", "No overload variant"),
        ("sl.track('a.mp4', tracker={'mode': 'sort'})", "No overload variant"),
        ("sl.track(['a.mp4', 'b.mp4']).counts", 'has no attribute "counts"'),
        ("sl.track('a.mp4', detector=lambda frames: 5)", "incompatible type"),
    ],
)
def test_a_wrong_program_is_found(checked, line, says):
    """The types say something."""
    assert says in checked(PROGRAM + line + "\n")


def test_the_python_of_the_docs_is_typed(tmp_path):
    """Every block of every page passes, strictly, as a program of its own."""
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    names = []
    for page in PAGES:
        for block in blocks(page.read_text()):
            if block.language == "python":
                names.append(f"{page.stem.replace('-', '_').lower()}_{block.line}.py")
                (tmp_path / names[-1]).write_text(block.text)

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", "cache", *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert len(names) >= 5
    assert "Success" in done.stdout, done.stdout + done.stderr


def test_typed_options_are_the_options():
    """Each keyword that `track` takes has a type, and no other; `format` is another name of `formats`."""
    assert set(get_type_hints(TrackArguments)) == {*TrackOptions.model_fields, "format"}
    assert set(get_type_hints(TrackerArguments)) == set(TrackerOptions.model_fields)


VALUES = {
    "pipeline": ["visdrone", Path("mine.toml")],
    "model": ["yolox-nano", Path("best.onnx"), None],
    "conf": [0.5, None],
    "imgsz": [640, "640x384", (640, 384), [640, 384], None],
    "classes": ["car,person", ["car", 2], ("car",)],
    "fps": [25, 29.97, "30000/1001", Fraction(25), None],
    "start": ["10s", 10, 1.5, timedelta(seconds=3), None],
    "start_time": ["2026-11-21T08:00:00Z", datetime(2026, 11, 21, tzinfo=UTC)],
    "size": ["640x480", (640, 480), [640, 480], None],
    "out": ["results", Path("results"), None],
    "format": ["csv", "csv,mot", ["csv", "mot"], ("csv",)],
    "formats": ["csv", ["csv", "mot"]],
    "tracker": ["bytetrack", {"mode": "quality", "track_buffer": 60}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in VALUES for value in VALUES[name]])
def test_what_the_types_allow_is_taken(name, value):
    """`track` brings paths and tuples into the form that settings read."""
    TrackOptions.model_validate({name: plain(value)})


def test_the_package_says_that_it_is_typed():
    """PEP 561."""
    assert (Path(sightline.__file__).parent / "py.typed").exists()
