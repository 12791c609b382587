"""Finished runs: what is loaded is what was written."""

import json
from fractions import Fraction

import numpy as np
import pytest

import sightline as sl
from sightline.errors import Corrupt, InvalidFile, Misconfigured, NotFound
from sightline.formats import counts_csv, events_csv, registry, summary
from sightline.formats.timeline import alone
from sightline.runs.load import find_runs, load_result, read_run_json
from sightline.runs.place import in_folder
from sightline.types import Origin
from sightline.vision.counting import count_job
from tests.unit.conftest import FORMATS
from tests.unit.scene import BROKEN, FRAMES, LABELS, images, see
from tests.unit.vision.made_tracks import same


def written(files) -> dict[str, bytes]:
    return {name: b"".join(chunks) for name, chunks in files}


@pytest.mark.parametrize("name", FORMATS)
def test_a_loaded_result_gives_every_file_again(finished, name):
    """Byte for byte, from segments and run.json alone, without inference."""
    result, _ = load_result(in_folder(finished.path))

    again = written(registry.writer(name)(result))

    assert again
    assert again == {path: (finished.path / path).read_bytes() for path in again}


def test_a_loaded_result_counts_the_same(finished):
    """events.csv and counts.csv from what was published; summary.json, which says why, from the raw tracks."""
    result, _ = load_result(in_folder(finished.path))
    counts = count_job(result)
    again, _ = load_result(in_folder(finished.path), published=False)

    for files in (
        events_csv.files([alone(result, counts)]),
        counts_csv.files([alone(result, counts)]),
        summary.files(again, count_job(again)),
    ):
        for path, blob in written(files).items():
            assert blob == (finished.path / path).read_bytes()


def test_a_loaded_run_knows_its_source_and_frames(finished):
    """Names, size, rate, and every frame with its outcome."""
    result, run = load_result(in_folder(finished.path))

    assert (result.video_id, result.job_id) == ("street", run["job_id"])
    assert (result.width, result.height, result.rate) == (160, 96, Fraction(25))
    assert (result.labels, result.conf, result.min_hits) == (LABELS, 0.25, 8)
    assert result.frames.pts_us.tolist() == [n * 40_000 for n in range(FRAMES)]
    assert [n for n, outcome in enumerate(result.frames.outcome) if outcome != "ok"] == [BROKEN]
    assert result.frames.reason[BROKEN] == "decode"


def test_refined_tracks_are_there(finished):
    """The person's unconfirmed first box is published too; in the broken frame nobody saw anything."""
    people, cars = finished.result.groups[1], finished.result.groups[0]

    assert people.tracks.seq.min() == 60
    assert people.tracks.origin[people.tracks.seq == 60].tolist() == [Origin.BIRTH]
    assert BROKEN not in cars.tracks.seq
    assert (cars.unique[-1], people.unique[-1]) == (2, 1)


def test_groups_keep_the_order_of_their_pipeline(street, tmp_path):
    """People before cars, in the run and after loading: a group's place is its index in result.json."""
    pipeline = tmp_path / "people-first.toml"
    pipeline.write_text('name = "people-first"\n[groups]\npeople = ["person"]\ncars = ["car"]\n')

    run = sl.track(street, detector=see, labels=LABELS, fps=25, out=tmp_path / "out", pipeline=str(pipeline))

    assert [group.name for group in run.result.groups] == ["people", "cars"]
    assert [group.class_ids for group in run.result.groups] == [(1,), (0,)]
    assert sl.load(run.path).result.groups[0].name == "people"
    assert run.counts == {"car": 2, "person": 1}


def test_a_run_with_range_stride_and_clock_is_loaded_with_its_times(street, tmp_path):
    """Frame numbers and times are the source's, seq and rate those of the sampled frames."""
    run = sl.track(
        street,
        detector=see,
        labels=LABELS,
        fps=25,
        out=tmp_path,
        start="1s",
        end="3s",
        vid_stride=2,
        start_time="2026-11-21T08:00:00+01:00",
        formats=["csv-a"],
    )

    assert run.result.frames.frame.tolist() == list(range(25, 75, 2))
    assert run.result.frames.pts_us.tolist() == [n * 40_000 for n in range(25, 75, 2)]
    assert run.result.rate == Fraction(25, 2)
    assert run.result.clock_start.isoformat() == "2026-11-21T08:00:00+01:00"
    stats = (run.path / "csv-a" / "stats.csv").read_text().splitlines()
    assert stats[1].startswith("2026-11-21T07:00:01")


def test_a_run_without_a_tracker_is_loaded_without_tracks(street, tmp_path):
    """Pipeline `detect`: every fifth frame, every label."""
    run = sl.track(street, detector=see, labels=LABELS, fps=25, out=tmp_path, pipeline="detect")

    (objects,) = run.result.groups
    assert objects.tracks is None
    assert run.result.frames.frame.tolist() == list(range(0, FRAMES, 5))
    assert set(objects.detections.class_id.tolist()) == {0, 1, 2}
    assert [group for _, group in run.frames()] == [{}] * len(run.result.frames)


def test_runs_are_found_in_the_folder_of_a_command(finished):
    """One per video, or the folder itself."""
    assert find_runs(finished.path) == [finished.path]
    assert find_runs(finished.path.parent) == [finished.path]


def test_what_is_no_run_says_so(tmp_path):
    """No folder, no run.json, or one that is unfinished: then the message says what to do."""
    with pytest.raises(NotFound, match="no such run folder"):
        find_runs(tmp_path / "nowhere")
    with pytest.raises(NotFound, match=r"no run\.json"):
        find_runs(tmp_path)
    (tmp_path / "street" / ".partial").mkdir(parents=True)
    for path in (tmp_path, tmp_path / "street"):
        with pytest.raises(NotFound, match="repeat the command"):
            find_runs(path)
    with pytest.raises(NotFound):
        read_run_json(in_folder(tmp_path / "street"))


def edited(folder, edit):
    path = folder / "run.json"
    run = json.loads(path.read_bytes())
    edit(run)
    path.write_text(json.dumps(run))
    return folder


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"{}", b'{"v":1}', b"\xff", b"[" * 100_000])
def test_a_damaged_run_json_is_an_invalid_file(run_copy, content):
    """Named, whatever is in it."""
    (run_copy / "run.json").write_bytes(content)

    with pytest.raises(InvalidFile, match=r"run\.json"):
        load_result(in_folder(run_copy))


@pytest.mark.parametrize(
    "edit",
    [
        lambda run: run["source"].pop("rate"),
        lambda run: run["source"].update(rate="fast"),
        lambda run: run["settings"].pop("groups"),
        lambda run: run["settings"]["groups"][0].update(labels=["zebra"]),
        lambda run: run["settings"].update(refine={"no": 1}),
        lambda run: run["frames"].pop("sampled"),
        lambda run: run.update(clock_start="yesterday"),
        lambda run: run.update(clock_start="2026-11-21T08:00:00"),
        lambda run: run.update(files=[]),
    ],
)
def test_a_run_json_without_sense_is_an_invalid_file(run_copy, edit):
    """Never a traceback."""
    with pytest.raises(InvalidFile, match=r"run\.json"):
        load_result(in_folder(edited(run_copy, edit)))


@pytest.mark.parametrize(
    ("written", "clock_start"),
    [("1970-01-01T00:00:00Z", None), ("2026-11-21T07:00:00Z", "2026-11-21T07:00:00+00:00")],
)
def test_a_run_from_before_the_clock_was_its_own_is_read(run_copy, written, clock_start):
    """It has `created_at`, and 1970 there where nobody said a start time."""

    def older(run):
        del run["clock_start"]
        run["created_at"] = written

    result, _ = load_result(in_folder(edited(run_copy, older)))

    assert (result.clock_start and result.clock_start.isoformat()) == clock_start


def test_a_run_of_a_newer_version_is_refused(run_copy):
    """The message names both versions."""
    with pytest.raises(InvalidFile, match="version 2, this program reads 1"):
        load_result(in_folder(edited(run_copy, lambda run: run.update(v=2))))


def test_a_missing_or_damaged_segment_is_damage(run_copy):
    """Nothing is loaded from what is left."""
    segment = run_copy / "segments" / "tracks-cars" / "000000000128.seg"
    blob = segment.read_bytes()

    segment.write_bytes(blob[:-1])
    with pytest.raises(Corrupt):
        load_result(in_folder(run_copy))
    segment.unlink()
    with pytest.raises(Corrupt, match="000000000128"):
        load_result(in_folder(run_copy))


def test_load_wants_one_run(finished, run_copy, tmp_path):
    """A folder of two videos must be said more exactly."""
    (tmp_path / "copy" / "again").mkdir()
    for path in (run_copy / "run.json",):
        (tmp_path / "copy" / "again" / "run.json").write_bytes(path.read_bytes())

    with pytest.raises(Misconfigured, match="again, street"):
        sl.load(tmp_path / "copy")
    again = sl.load(run_copy).result.groups[0]
    assert same(again.tracks, finished.result.groups[0].tracks)
    assert np.array_equal(again.unique, finished.result.groups[0].unique)


def test_the_same_call_again_loads_the_finished_run(street, tmp_path):
    """Nobody looks at a frame twice."""
    looked = []

    def looking(frames):
        looked.append(1)
        return see(frames)

    small = images(tmp_path / "small", 5)
    first = sl.track(small, detector=looking, labels=LABELS, out=tmp_path / "out")
    again = sl.track(small, detector=looking, labels=LABELS, out=tmp_path / "out")

    assert len(looked) == 5
    assert again.path == first.path
    assert same(again.result.groups[0].tracks, first.result.groups[0].tracks)
