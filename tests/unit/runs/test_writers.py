"""The files of a finished run: which there are, and what run.json says of them."""

import hashlib
import json

import pytest

import sightline as sl
from sightline import __version__
from sightline.errors import Misconfigured
from sightline.runs.writers import check_formats, machine
from tests.unit.scene import BROKEN, FRAMES, LABELS, images, see


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return images(tmp_path_factory.mktemp("small") / "small", 6)


def files(path) -> set[str]:
    """Files of a run without its segments."""
    names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    return {name for name in names if not name.startswith("segments/")}


ALWAYS = {"run.json", "timing.json", "log.ndjson"}
COUNTED = {"events.csv", "counts.csv", "summary.json"}


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        (["csv"], {"tracks.csv", "detections.csv"}),
        (["mot"], {"mot/cars/small.txt", "mot/people/small.txt"}),
        (["json-b"], {"result.json"}),
        (["ndjson"], {"tracks.ndjson"}),
        (["parquet"], {"tracks.parquet"}),
        (["video"], {"annotated.mp4"}),
    ],
)
def test_a_run_has_the_formats_that_were_asked_for(small, tmp_path, formats, expected):
    """Beside its counts, which it always has."""
    run = sl.track(small, detector=see, labels=LABELS, out=tmp_path, formats=formats)

    assert files(run.path) - {"log.ndjson"} == expected | COUNTED | ALWAYS - {"log.ndjson"}


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("traffic", {"tracks.csv", "detections.csv", "mot"}),
        ("visdrone", {"tracks.csv", "detections.csv", "mot", "csv-a"}),
        ("detect", {"detections.csv", "result.json"}),
    ],
)
def test_tables_of_older_systems_come_with_their_pipelines(small, tmp_path, pipeline, expected):
    """Nobody else has to wonder what they are."""
    run = sl.track(small, detector=see, labels=LABELS, out=tmp_path, pipeline=pipeline)

    made = {name.split("/")[0] for name in files(run.path)}
    assert made - ALWAYS - COUNTED == expected


def test_a_run_without_a_tracker_has_no_counts(small, tmp_path):
    """Nor MOT results; those that mean something are there."""
    run = sl.track(
        small, detector=see, labels=LABELS, out=tmp_path, pipeline="detect", formats=["mot", "csv", "json-b"]
    )

    assert files(run.path) - ALWAYS == {"detections.csv", "result.json"}


def test_run_json_lists_every_file_but_itself_and_what_may_differ(finished):
    """With size and hash, sorted by path."""
    listed = json.loads((finished.path / "run.json").read_bytes())["files"]

    there = {p.relative_to(finished.path).as_posix() for p in finished.path.rglob("*") if p.is_file()}
    assert listed.keys() == there - ALWAYS
    assert list(listed) == sorted(listed)
    for name, entry in listed.items():
        blob = (finished.path / name).read_bytes()
        assert entry == {"bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}


def test_run_json_accounts_for_every_frame(finished):
    """Failed ones by number and reason, and a warning says that there are some."""
    run = json.loads((finished.path / "run.json").read_bytes())

    assert run["frames"] == {
        "total": FRAMES,
        "sampled": FRAMES,
        "ok": FRAMES - 1,
        "failed": 1,
        "skipped": 0,
        "reasons": {"decode": 1},
        "not_ok": [{"frame": BROKEN, "outcome": "failed", "reason": "decode"}],
    }
    assert [warning["code"] for warning in run["warnings"]] == ["no_group", "damaged"]


def test_run_json_holds_no_clock_path_or_machine(finished, street):
    """Those are in timing.json, of which no promise is made."""
    text = (finished.path / "run.json").read_text()
    timing = json.loads((finished.path / "timing.json").read_bytes())

    assert str(street.parent) not in text
    assert timing["source_path"] == str(street)
    assert timing["machine"]["cores"] >= 1
    assert json.loads(text)["clock_start"] is None
    assert "1970" not in text
    assert json.loads(text)["versions"]["sightline"] == __version__


def test_the_clock_of_a_run_is_the_one_that_was_given(small, tmp_path):
    """With its offset, for frame 0 of the source."""
    run = sl.track(small, detector=see, labels=LABELS, out=tmp_path, start_time="2026-11-21T08:00:00+01:00")

    assert json.loads((run.path / "run.json").read_bytes())["clock_start"] == "2026-11-21T08:00:00+01:00"


def test_images_of_other_sizes_are_remarked_on(small, tmp_path):
    """The frames are ok; the run says once what happened to their boxes."""
    from PIL import Image

    mixed = images(tmp_path / "mixed", 4)
    Image.open(mixed / "0002.png").resize((80, 48)).save(mixed / "0002.png")

    run = sl.track(mixed, detector=see, labels=LABELS, out=tmp_path / "out")

    written = json.loads((run.path / "run.json").read_bytes())
    assert written["frames"]["ok"] == 4
    assert [warning["code"] for warning in written["warnings"]] == ["no_group", "size_change"]
    assert run.result.frames.reason == ("", "", "size_change", "")


def test_unknown_formats_are_refused_before_any_work(small, tmp_path):
    """With the names that there are."""
    check_formats(["csv", "parquet", "video"])

    with pytest.raises(Misconfigured, match="no format 'cvs'; there are mot, csv"):
        sl.track(small, detector=see, labels=LABELS, out=tmp_path / "out", formats=["csv", "cvs"])
    assert not (tmp_path / "out").exists()


def test_the_machine_is_described():
    """What a reader of timing.json needs to judge a time."""
    here = machine()

    assert here.cores >= 1
    assert here.memory_bytes > 10**8
    assert here.cpu
    assert here.python.startswith("3.")
