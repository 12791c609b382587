"""System A's HTTP contract, a row of its table at a time: bodies, keys, their order, texts."""

import asyncio
import json
import sys

import pytest

from sightline.errors import InvalidVideo, Misconfigured, Unavailable
from sightline.events import JobEvent, Native
from sightline.jobs import requests
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Entry
from sightline.sources.roots import Roots
from tests.contract.serving import World, is_problem, served, talk
from tests.contract.test_system_b import ID, UUID4

pytestmark = pytest.mark.contract

PORT = 5001
NAMES = ("uav0000086_00000_v", "uav0000117_02622_v")


@pytest.fixture
def dataset(tmp_path):
    """VisDrone's layout with two sequences, and a video beside them."""
    root = tmp_path / "VisDrone2019-MOT-val"
    (root / "annotations").mkdir(parents=True)
    for name in NAMES:
        (root / "sequences" / name).mkdir(parents=True)
        (root / "sequences" / name / "0000001.jpg").write_bytes(b"x")
        (root / "annotations" / f"{name}.txt").write_text("")
    (root / "street.mp4").write_bytes(b"x")
    return root


@pytest.fixture
def world(world, dataset):
    world.roots = Roots({"dataset": dataset})
    return world


@pytest.fixture
def client(world):
    return world.client(PORT)


def start(client, name, **options):
    return client.ask("POST", f"/start/{name}", **options)


def refused(answer, name):
    """The source's own answer, to the byte: no problem+json here."""
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"error": f"{name} is not a valid folder or video file."}


# --- POST /start/{name}


@pytest.mark.parametrize("name", [*NAMES, "street.mp4"])
def test_dataset_start_answers_with_the_number_of_frames(client, name):
    """`{"status":"Sent N frames from NAME."}`, and ours beside it."""
    answer = start(client, name)

    assert answer.status_code == 200
    assert answer.json() == {
        "status": f"Sent 10 frames from {name}.",
        "event_id": ID,
        "video_id": name,
        "frames": 10,
    }
    assert UUID4.fullmatch(answer.json()["event_id"])


def test_dataset_start_is_durable_when_it_answers(world, client):
    """Row, event and index: no frame of it can be lost, so "Sent" holds. The files stay where they are."""
    start(client, NAMES[0])

    job = world.store.get(ID)
    asked = requests.decode(job.request)
    assert (job.state, job.video_id, job.created_at_us) == ("sent", NAMES[0], world.now_us)
    assert asked.pipeline == "visdrone"
    assert (asked.source.root, asked.source.key) == ("dataset", f"sequences/{NAMES[0]}")
    assert (asked.source.kind, asked.found.frames) == ("images", 10)
    assert (asked.source.bytes, asked.source.times, asked.source.sha256) == (1234, "times", "")
    assert world.stored() == [asked.source.index_key]
    assert [*world.store.read(JOB_TOPIC, 0, 0, 10)] == [Entry(0, ID, Native().encode(JobEvent(ID)))]
    assert world.notes.list("upload") == []


def test_dataset_start_makes_a_new_job_each_time(world, client):
    """Only `Idempotency-Key` makes two calls one."""
    first, second = (start(client, NAMES[0]).json()["event_id"] for _ in range(2))

    assert first != second
    assert world.store.get(first).video_id == world.store.get(second).video_id == NAMES[0]


def test_dataset_start_with_a_key_makes_one_job(world, client, dataset):
    """The first answer again, whatever became of the files; another name with it is 422."""
    key = {"Idempotency-Key": "k1"}
    first = start(client, NAMES[0], headers=key)
    (dataset / "sequences" / NAMES[0] / "0000001.jpg").unlink()
    again = start(client, NAMES[0], headers=key)

    assert again.content == first.content
    assert world.store.counts().by_state == {"sent": 1}
    is_problem(start(client, NAMES[1], headers=key), 422, "key_reused")
    is_problem(start(client, NAMES[1], headers={"Idempotency-Key": "a b"}), 422, "invalid")


def test_dataset_start_while_the_same_key_runs(world):
    """409: the first one is still being looked into."""
    key = {"Idempotency-Key": "k1"}
    seen = []
    world.before_probe = lambda: (
        seen.append(start(world.client(PORT), NAMES[0], headers=key)) if not seen else None
    )
    first = start(world.client(PORT), NAMES[0], headers=key)

    assert first.status_code == 200
    is_problem(seen[0], 409, "in_progress")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("nothing", "nothing"),
        ("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
        ("%2e%2e", ".."),
        ("%2Fetc%2Fpasswd", "/etc/passwd"),
        ("street.mp4%00", "street.mp4\0"),
        ("n" * 300, "n" * 300),
        ("n" * 5000, "n" * 5000),
        ("a%0D%0AX-Evil:%201%22%27", "a\r\nX-Evil: 1\"'"),
        ("%E2%80%AEv.mp4", "\u202ev.mp4"),
        ("street.mp4.php", "street.mp4.php"),
        ("CON", "CON"),
        ("%231", "#1"),
        ("-rf", "-rf"),
        (".hidden", ".hidden"),
        ("", ""),
        ("sequences", "sequences"),
        ("annotations", "annotations"),
        ("uav0000086_00000_v%2F0000001.jpg", "uav0000086_00000_v/0000001.jpg"),
    ],
)
def test_dataset_start_of_another_name(world, client, sent, name):
    """Bad inputs 21 to 28: the same 400 for all of them, nothing outside the root is looked at, nothing stays."""
    refused(start(client, sent), name)
    assert world.probed == []
    assert world.stored() == [] == world.notes.list("upload")


@pytest.mark.parametrize("sent", ["%ED%A0%80", "%C0%AE%C0%AE", "%FF"])
def test_dataset_start_of_bytes_that_are_no_text(world, client, sent):
    """Surrogates and overlong forms: some text comes back, and it is the same 400."""
    answer = start(client, sent)

    assert answer.status_code == 400
    assert answer.json()["error"].endswith(" is not a valid folder or video file.")
    assert world.probed == []


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/start/../../etc/passwd", "../../etc/passwd"),
        (b"/start//etc/passwd", "/etc/passwd"),
        (b"/start/..%2f..%2fetc%2fpasswd", "../../etc/passwd"),
        (b"/start/%252e%252e", "%2e%2e"),
        (b"/start/street.mp4%00.jpg", "street.mp4\0.jpg"),
        (b"/start/street.mp4?../x", None),
        (b"/start/street.mp4%20", "street.mp4 "),
    ],
)
def test_dataset_start_of_names_as_they_come_over_a_socket(dataset, target, name):
    """No client has tidied them before; what stands behind `?` is no part of a name."""
    world = World(roots=Roots({"dataset": dataset}))
    with served(world, ports=4) as ports:
        heard = talk(ports[3], b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)

    head, _, body = heard.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if name is None:
        assert (status, json.loads(body)["video_id"]) == (200, "street.mp4")
    else:
        assert (status, json.loads(body)) == (400, {"error": f"{name} is not a valid folder or video file."})
        assert world.probed == []


def test_dataset_start_forty_times_with_one_key(world, client):
    """Some wait, some are told so; there is one job."""

    async def all_at_once():
        asked = (
            client.aask("POST", f"/start/{NAMES[0]}", headers={"Idempotency-Key": "k"}) for _ in range(40)
        )
        return await asyncio.gather(*asked)

    answers = client.runner.run(all_at_once())

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["event_id"] for answer in answers if answer.status_code == 200}) == 1
    assert world.store.counts().by_state == {"sent": 1}


def test_dataset_start_of_a_link_that_leads_out(world, client, dataset, tmp_path):
    """Whoever may write into the dataset can have nothing else read."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "1.jpg").write_bytes(b"x")
    (dataset / "sequences" / "out").symlink_to(tmp_path / "secret")

    refused(start(client, "out"), "out")
    assert world.probed == []


def test_dataset_start_of_what_is_no_video(world, client):
    """The confined process has looked: no folder and no video for this system, and nothing stays."""
    world.refuses = InvalidVideo("street.mp4", reason="no video stream")

    refused(start(client, "street.mp4"), "street.mp4")
    assert world.stored() == [] == world.notes.list("upload")
    assert world.store.counts().by_state == {}


def test_dataset_start_while_nobody_can_look(world, client):
    """Nothing is wrong with the name: 503, repeat."""
    world.refuses = Unavailable("the worker does not answer now", code="worker_down")

    is_problem(start(client, NAMES[0]), 503, "worker_down")


def test_detections_of_a_model_without_a_group_are_refused(world, client):
    """422 that names both lists; no job is made that could only fail."""
    said = "group cars wants car, van, truck; the model knows fish: name what to keep with classes="
    world.unfit["visdrone"] = Misconfigured(said, code="no_label")
    answer = start(client, NAMES[0])

    is_problem(answer, 422, "no_label")
    assert answer.json()["detail"] == said
    assert world.probed == []
    assert world.stored() == [] == world.notes.list("upload")


def test_dataset_start_without_a_dataset():
    """No name is one."""
    refused(start(World().client(PORT), NAMES[0]), NAMES[0])


def test_dataset_start_below_the_folder_above(world, dataset):
    """`./data` holds `VisDrone2019-MOT-val`: the document has both as the root."""
    world.roots = Roots({"dataset": dataset.parent})

    assert start(world.client(PORT), NAMES[0]).status_code == 200
    assert requests.decode(world.store.get(ID).request).source.key == f"{dataset.name}/sequences/{NAMES[0]}"


def test_dataset_start_is_no_get(client):
    """405, and it says what is allowed."""
    answer = client.get(f"/start/{NAMES[0]}")

    is_problem(answer, 405, "method")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(("port", "path"), [(8080, f"/start/{NAMES[0]}"), (5001, "/api/status/all")])
def test_each_port_answers_for_its_role_only(client, port, path):
    """The API starts no sequences, the generator lists no jobs."""
    is_problem(client.ask("POST" if port == 8080 else "GET", path, port), 404, "not_found")


# --- GET /, /status, /data_status


def test_health_of_the_generator(world, client):
    """A sentence with the service's name, as text; 503 when the worker makes no progress."""
    assert client.get("/").text == "data_generator is running!"
    assert client.get("/").headers["content-type"] == "text/plain; charset=utf-8"
    assert client.ask("HEAD", "/").status_code == 200

    world.moving = False
    stalled = client.get("/")
    assert (stalled.status_code, stalled.text) == (503, "data_generator makes no progress.")
    assert "retry-after" in stalled.headers


def test_environment_status(world):
    """Five keys, and what the environment said."""
    world.settings = type(world.settings)(service_name="gen", kafka_broker="redpanda:29092")

    assert (
        world.client(PORT).get("/status").content
        == json.dumps(
            {
                "service_name": "gen",
                "python_version": sys.version,
                "kafka_broker_env": "redpanda:29092",
                "dataset_path_configured": True,
                "dataset_path_exists": True,
            },
            separators=(",", ":"),
        ).encode()
    )
    assert world.client(PORT).get("/").text == "gen is running!"


def test_environment_status_without_a_dataset(world, tmp_path):
    """Not configured, and configured but not there."""
    world.roots = Roots({})
    bare = world.client(PORT).get("/status").json()
    world.roots = Roots({"dataset": tmp_path / "none"})
    missing = world.client(PORT).get("/status").json()

    keys = ("dataset_path_configured", "dataset_path_exists")
    assert [bare[key] for key in keys] == [False, False]
    assert [missing[key] for key in keys] == [True, False]
    assert bare["kafka_broker_env"] is None


@pytest.mark.parametrize("above", [False, True])
def test_dataset_status_of_the_data(world, dataset, above):
    """What is there, which of the two folders were found, the first five sequences."""
    for number in range(6):
        (dataset / "sequences" / f"w{number}").mkdir()
    root = dataset.parent if above else dataset
    world.roots = Roots({"dataset": root})

    assert world.client(PORT).get("/data_status").json() == {
        "dataset_path": str(root),
        "path_exists": True,
        "is_directory": True,
        "contents": sorted(path.name for path in root.iterdir()),
        "expected_subdirs_checked": ["annotations", "sequences"],
        "expected_subdirs_found": ["annotations", "sequences"],
        "all_expected_subdirs_found": True,
        "sequences_subdir_exists": True,
        "sequences_subdir_contents_count": 8,
        "sequences_subdir_contents_sample": [*NAMES, "w0", "w1", "w2"],
    }


def test_dataset_status_without_sequences(world, dataset):
    """200 all the same: it says what is missing."""
    (dataset / "sequences").rename(dataset / "pictures")

    answer = world.client(PORT).get("/data_status")

    assert answer.status_code == 200
    assert answer.json()["expected_subdirs_found"] == ["annotations"]
    assert answer.json()["all_expected_subdirs_found"] is False
    assert answer.json()["sequences_subdir_exists"] is False


@pytest.mark.parametrize("there", [False, True])
def test_dataset_status_of_no_folder(world, tmp_path, there):
    """A path that is not there, and a file."""
    if there:
        (tmp_path / "none").write_text("x")
    world.roots = Roots({"dataset": tmp_path / "none"})

    answer = world.client(PORT).get("/data_status")

    assert answer.status_code == 200
    assert answer.json() == {
        "dataset_path": str(tmp_path / "none"),
        "path_exists": there,
        "contents": None,
        "is_directory": False,
        "expected_subdirs_found": False,
        "all_expected_subdirs_found": False,
    }


def test_dataset_status_without_a_root(world):
    """400 with `error`."""
    world.roots = Roots({})
    answer = world.client(PORT).get("/data_status")

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "DATASET_ROOT_DIR environment variable is not set.",
        "dataset_path": None,
        "path_exists": False,
        "contents": None,
        "expected_subdirs_found": False,
    }
