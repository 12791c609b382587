"""System A's clients against `sightline serve`: a dataset and videos by name, results as `track` gives them, its CSV files."""

import csv
import json
import shutil
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from sightline.app.track import track
from sightline.runs.verify import verify
from sightline.settings import TrackOptions
from tests.media import encode, mux
from tests.serving.service import Service

SEQUENCE = "uav0000086_00000_v"
MISSING = {6, 7, 40}
CSV = ["car_detections.csv", "car_tracks.csv", "people_detections.csv", "people_tracks.csv", "stats.csv"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """VisDrone's layout: a sequence of numbered JPEGs, some numbers missing, and the same street as a video."""
    root = tmp_path_factory.mktemp("data") / "VisDrone2019-MOT-val"
    folder = root / "sequences" / SEQUENCE
    folder.mkdir(parents=True)
    (root / "annotations").mkdir()
    street = Path(str(resources.files("sightline"))) / "demo" / "street.mp4"
    with av.open(str(street)) as container:
        pictures = [frame.to_image() for frame in islice(container.decode(video=0), 150)]
    for number, image in enumerate(pictures, 1):
        if number not in MISSING:
            image.save(folder / f"{number:07d}.jpg", quality=95)
    mux(root / "street.mp4", encode((np.asarray(image) for image in pictures), "libx264"))
    (root / "broken.mp4").write_bytes(b"no video" * 1000)
    return root


@pytest.fixture(scope="module")
def service(dataset, tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("served") / "data", "--dataset", str(dataset.parent)).start()
    yield service
    assert service.stop() == 0


def start(service, name):
    """`POST /start/NAME`; `system_a_commands.sh` does it as the founding document writes it."""
    return json.loads(service.ask("POST", f"/start/{name}", b"", port="generator")[1])


def run_of(service, job_id):
    return service.data / "objects" / "sightline" / "jobs" / job_id


def tracked(path, out):
    """The run folder of `sightline track --pipeline visdrone`."""
    options = TrackOptions(
        pipeline="visdrone",
        model="sightline-tiny",
        precision="f32",
        out=out,
        formats=("mot", "csv", "csv-a", "json-b"),
        workers=1,
    )
    (report,) = track([path], options)
    return report.path


def contents(folder, name):
    """Every file of a run but those that know the job or the clock; a video's name is its file's in a service."""
    listed = json.loads((folder / "run.json").read_bytes())["files"]
    found = {path: (folder / path).read_bytes() for path in listed if not path.startswith("csv-a/")}
    stem = name.rpartition(".")[0] or name
    return {
        path.replace(name, stem): blob.replace(name.encode(), stem.encode()) for path, blob in found.items()
    }


def rows(path, name):
    """Rows of a CSV file of system A, with the time since the first frame."""
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    return [{**row, "timestamp": datetime.fromisoformat(row["timestamp"]), "video_id": name} for row in found]


def shifted(found, first):
    return [{**row, "timestamp": row["timestamp"] - first} for row in found]


@pytest.mark.parametrize("name", [SEQUENCE, "street.mp4"])
def test_a_name_is_tracked_as_the_command_line_tracks_it(service, dataset, tmp_path, name):
    """Byte for byte, and the tables of system A but for their clock, which begins when the job was accepted."""
    path = dataset / "sequences" / name if name == SEQUENCE else dataset / name
    expected = tracked(path, tmp_path / "out")
    answer = start(service, name)
    job_id = answer["event_id"]

    result = service.result(job_id)

    mine, theirs = run_of(service, job_id), expected
    assert answer["status"] == f"Sent {answer['frames']} frames from {name}."
    assert contents(mine, name) == contents(theirs, name)
    assert result["prediction"] == json.loads((theirs / "result.json").read_bytes())
    runs = [json.loads((folder / "run.json").read_bytes()) for folder in (mine, theirs)]
    for key in ("run_key", "settings", "source", "frames", "warnings", "model", "engine", "pipeline"):
        assert runs[0][key] == runs[1][key]
    (verdict,) = verify(mine)
    assert verdict.problems == ()
    first = rows(mine / "csv-a" / "stats.csv", name)[0]["timestamp"]
    for file in CSV:
        found = shifted(rows(mine / "csv-a" / file, name), first)
        assert found == shifted(rows(theirs / "csv-a" / file, name), EPOCH)
    assert len(rows(mine / "csv-a" / "car_tracks.csv", name)) > 0


def test_a_real_video_is_tracked_as_the_command_line_tracks_it(service, dataset, shared, tmp_path):
    """One that a camera made."""
    real = shared / "data" / "real" / "video" / "realshort.mp4"
    shutil.copy(real, dataset / "realshort.mp4")
    expected = tracked(dataset / "realshort.mp4", tmp_path / "out")

    job_id = start(service, "realshort.mp4")["event_id"]

    service.result(job_id)
    assert contents(run_of(service, job_id), "realshort.mp4") == contents(expected, "realshort.mp4")


def test_missing_numbers_are_no_frames(service):
    """The listing counts, `run.json` names the gaps, and time runs on over them."""
    answer = start(service, SEQUENCE)
    service.result(answer["event_id"])

    folder = run_of(service, answer["event_id"])
    run = json.loads((folder / "run.json").read_bytes())
    ids = [row["frame_id"] for row in rows(folder / "csv-a" / "car_detections.csv", SEQUENCE)]
    assert answer["frames"] == 150 - len(MISSING) == run["frames"]["total"]
    assert run["source"]["gaps"] == [[6, 7], [40, 40]]
    assert run["source"]["rate"] == "30"
    assert {"frame_00005", "frame_00006", "frame_00039"}.isdisjoint(ids)


def test_csv_files_lie_where_system_a_s_users_look(service):
    """A folder a job, and the flat names of the newest."""
    debug = service.data / "debug_output"
    for _ in range(2):
        job_id = start(service, SEQUENCE)["event_id"]
        service.result(job_id)
        mine = {file: (run_of(service, job_id) / "csv-a" / file).read_bytes() for file in CSV}
        service.until(lambda job_id=job_id: (debug / ".newest").read_text() == job_id)

        assert {file: (debug / job_id / file).read_bytes() for file in CSV} == mine
        assert {file: (debug / file).read_bytes() for file in CSV} == mine


def test_what_is_no_source_is_400(service):
    """A file that is no video, and a name that is none."""
    for name in ("broken.mp4", "none"):
        assert start(service, name) == {"error": f"{name} is not a valid folder or video file."}
    assert service.get("/", "generator") == (200, b"data_generator is running!")


def test_a_source_that_changes_or_goes_ends_its_job(dataset, tmp_path):
    """Accepted and not yet begun: the job says what became of it; others are not concerned."""
    root = tmp_path / "data"
    for name in ("a", "b", "c"):
        shutil.copytree(dataset / "sequences" / SEQUENCE, root / "sequences" / name)
    service = Service(tmp_path / "served", "--dataset", str(root), "--fps", "25").start()
    jobs = {name: start(service, name)["event_id"] for name in ("a", "b", "c")}
    service.kill()
    (root / "sequences" / "a" / "0000003.jpg").write_bytes(b"other")
    shutil.rmtree(root / "sequences" / "b")
    again = Service(tmp_path / "served", "--dataset", str(root), "--fps", "50").start()
    try:
        ends = {name: again.result(job_id) for name, job_id in jobs.items()}
        again.until(lambda: (again.data / "debug_output" / jobs["c"]).is_dir())
    finally:
        assert again.stop() == 0

    # Whatever of it was done before the kill: nothing of another source is published.
    assert ends["a"]["code"] == "source_changed"
    assert ends["b"]["code"] == "source_gone"
    assert ends["c"]["status"] == "ready"
    run = json.loads((run_of(again, jobs["c"]) / "run.json").read_bytes())
    assert (run["source"]["rate"], run["settings"]["fps"]) == ("25", "25")


def test_a_kill_behind_the_end_of_a_job_costs_no_csv_file(dataset, tmp_path, monkeypatch):
    """What was not copied is copied at the next start, which is told by the variables of system A."""
    more = ("--dataset", str(dataset), "--csv-path", str(tmp_path / "stats" / "numbers.csv"))
    service = Service(tmp_path / "served", *more).start()
    job_id = start(service, SEQUENCE)["event_id"]
    service.result(job_id)
    service.kill()
    shutil.rmtree(service.data / "debug_output", ignore_errors=True)
    said = {
        "DATASET_ROOT_DIR": str(dataset),
        "CSV_PATH": str(tmp_path / "stats" / "numbers.csv"),
        "FRAME_RATE": "25",
        "SERVICE_NAME": "generator-1",
        "KAFKA_BROKER": "redpanda:29092",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    again = Service(service.data).start()
    try:
        assert again.get("/", "generator")[1] == b"generator-1 is running!"
        status = json.loads(again.get("/status", "generator")[1])
        assert (status["service_name"], status["kafka_broker_env"]) == ("generator-1", "redpanda:29092")
        assert status["dataset_path_exists"]
        again.until(lambda: (again.data / "debug_output" / ".newest").read_text() == job_id)
        assert (tmp_path / "stats" / "numbers.csv").read_bytes() == (
            run_of(again, job_id) / "csv-a" / "stats.csv"
        ).read_bytes()
        assert again.ask("DELETE", "/api/cleanup/all")[0] == 200
        assert (dataset / "sequences" / SEQUENCE / "0000001.jpg").exists()
        again.until(lambda: not (again.data / "debug_output" / job_id).exists())
        again.until(lambda: not (tmp_path / "stats" / "numbers.csv").exists())
    finally:
        assert again.stop() == 0
