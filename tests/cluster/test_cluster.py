"""A service on Kafka, PostgreSQL and S3, its work shared by processes: the bytes of one on one machine."""

import json
import os
import re
import signal
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pymongo import MongoClient

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.log import KafkaLog
from sightline.ports import Outgoing
from tests.cluster.cluster import Cluster, Embedded, cut, files_of, sent
from tests.cluster.outages import outage
from tests.servers.programs import Missing
from tests.serving.service import Service
from tests.stored_job import STREET

REST = ("track", "stats", "collect", "publish")
# Servers and half a dozen processes come up within a test, and again after a kill.
pytestmark = pytest.mark.timeout(1200)
PIPELINES = ("traffic", "visdrone", "detect")
STORES = (
    "--ledger",
    "--postgres",
    "--kafka",
    "--partitions",
    "--objects",
    "--s3-bucket",
    "--s3-endpoint",
)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A street for some seconds: several chunks of it."""
    return cut(STREET, tmp_path_factory.mktemp("video") / "street.mp4", 200)


@pytest.fixture(scope="module")
def reference(tmp_path_factory, street):
    """Files of each pipeline's result, made on one machine."""
    service = Embedded(tmp_path_factory.mktemp("embedded") / "data").start()
    try:
        jobs = {name: sent(service, street, pipeline=name) for name in PIPELINES}
        for job_id in jobs.values():
            assert service.result(job_id)["status"] == "ready"
        return {name: files_of(service, job_id) for name, job_id in jobs.items()}
    finally:
        service.stop()


@contextmanager
def running(ledger="postgres"):
    """Servers of its own, as tests kill them, with tables and topics."""
    with TemporaryDirectory(prefix="cluster-") as folder, ExitStack() as rest:
        try:
            made = rest.enter_context(Cluster(Path(folder), ledger))
        except Missing as lack:
            if os.environ.get("CI"):
                pytest.fail(f"CI must have it: {lack}")
            pytest.skip(f"needs servers: {lack}")
        made.prepare()
        yield made


@pytest.fixture(scope="module")
def cluster():
    """Every worker twice, but for who answers."""
    with running() as made:
        made.begin()
        yield made


@pytest.fixture
def api(cluster) -> Service:
    return cluster.workers[0]


def ready(api, job_id):
    ended = ("ready", "failed", "cancelled")
    api.until(lambda: api.json(f"/api/v1/jobs/{job_id}")["state"] in ended, 300)
    return files_of(api, job_id)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_result_is_that_of_one_machine(cluster, api, reference, street, pipeline):
    """Every file, by its hash: segments, tracks, counts, the result that old clients read."""
    assert ready(api, sent(api, street, pipeline=pipeline)) == reference[pipeline]


def test_jobs_in_mongodb(reference, street):
    """The same bytes; and the view of them that those read who know system B's collections."""
    with running("mongo") as cluster:
        api = cluster.begin((("api", "generator"), ("feed", "relay", "detect"), REST))
        jobs = {name: sent(api, street, pipeline=name) for name in ("traffic", "detect")}
        for name, job_id in jobs.items():
            assert ready(api, job_id) == reference[name]
        for name, job_id in jobs.items():
            child = cluster.run("replay", job_id, "--from", "track", of=STORES).strip()
            assert ready(api, child) == reference[name]
            assert cluster.run("verify", child, of=STORES).startswith("OK")

        with MongoClient(cluster.servers["mongo"]["url"]) as client:
            outbox = client["main_db"]["outbox"].find_one({"_id": jobs["detect"]})
            view = client["runner_db"]["runner_predictions"].find_one({"_id": jobs["detect"]})
        result = api.json(f"/api/result_video/{jobs['detect']}")["prediction"]

    assert (outbox["status"], outbox["payload"]["object"]) == ("sent", f"input/{jobs['detect']}.mp4")
    assert (view["status"], view["total_frames"], view["received_frames"]) == ("ready", 40, 40)
    assert view["prediction"] == result
    assert view["frame_results"]["5"] == result[1]
    assert view["output_s3"] == {"bucket": "videos", "object": f"detection/{jobs['detect']}.json"}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_job_is_run_again_on_what_it_has_stored(cluster, api, reference, street, pipeline):
    """By an operator, on the stores, while each worker is killed once: the same files, and both results are whole."""
    job_id = sent(api, street, pipeline=pipeline)
    first = ready(api, job_id)
    child = cluster.run("replay", job_id, "--from", "track", of=STORES).strip()
    for worker in [each for each in cluster.workers[1:] if each.process.poll() is None]:
        time.sleep(0.3)
        worker.kill_one("worker")

    assert ready(api, child) == first == reference[pipeline]
    for each in (job_id, child):
        assert cluster.run("verify", each, of=STORES).startswith("OK")


def test_every_process_may_be_killed_meanwhile(cluster, api, reference, street):
    """Each worker once, as the kernel does, and one whole service, which another one replaces."""
    jobs = {sent(api, street, pipeline=name): name for name in PIPELINES}
    for worker in cluster.workers[1:]:
        time.sleep(1.0)
        worker.kill_one("worker")
    gone = cluster.workers[2]
    gone.kill()
    cluster.worker(*gone.roles)

    for job_id, name in jobs.items():
        assert ready(api, job_id) == reference[name]


@pytest.mark.parametrize("server", ["kafka", "postgres", "s3"])
def test_a_server_that_dies_is_waited_for(cluster, api, reference, street, server):
    """The workers say for which, what was acknowledged is there when it is back, no attempt is counted, and the work goes on."""
    away = outage(cluster, server, 1.0, street, reference["traffic"])

    assert away.wrong == []


def test_a_worker_that_stood_still_is_fenced(cluster, api, reference, street):
    """Beyond its session others own what was its own; what it writes late is refused."""
    worker = cluster.workers[4]
    job_id = sent(api, street, pipeline="visdrone")
    pid = worker.children()["worker"]
    os.kill(pid, signal.SIGSTOP)
    try:
        files = ready(api, job_id)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert files == reference["visdrone"]


def test_an_operator_sees_how_far_everybody_is(cluster, api):
    """All that was sent has been worked on; nothing waits, and no topic differs."""
    api.until(lambda: all(line.split()[-1] == "0" for line in cluster.run("lag").splitlines()))
    assert "as planned" in cluster.run("topics", "check", "--replication", "1")
    assert "tables are of version" in cluster.run("migrate")


def test_a_doctor_finds_what_the_service_stands_on(cluster, api):
    """A line for its folder, its database, its brokers and its bucket."""
    said = cluster.run("doctor", of=STORES)

    for name in ("data folder", "database", "kafka", "objects"):
        assert re.search(rf"^OK +{name} ", said, re.MULTILINE), said


def test_a_worker_says_how_it_is(cluster):
    """To probes and to Prometheus, on a port of its own."""
    alive = [worker for worker in cluster.workers[1:] if worker.process.poll() is None]
    for worker in alive:
        status, body = worker.get("/health", port="health")
        assert (status, body) == (200, b'{"status":"ok"}')
        assert b"sightline_" in worker.get("/metrics", port="health")[1]


def test_a_record_that_nobody_can_read_is_shown_and_sent_again(cluster, api):
    """By commands that know no consumer group; the workers read it where it lay, and bury it anew."""
    topic = "detections-people"
    with closing(KafkaLog(Connection(cluster.servers["kafka"]["bootstrap"], client="test"))) as log:
        log.append([Outgoing(topic, 1, "nobody", b"{")])

    def letters() -> list[dict]:
        listed = cluster.run("dead", "list", "--topic", topic, "--json")
        return [json.loads(line) for line in listed.splitlines()]

    api.until(lambda: len(letters()) == 2)
    first = letters()[0]
    assert {each["stage"] for each in letters()} == {"track", "collect"}
    assert (first["id"], first["job_id"], first["reason"]) == (f"{topic}/0", "nobody", "invalid_record")
    assert json.loads(cluster.run("dead", "show", first["id"], "--json"))["text"] == "{"

    assert "sent: it is read again" in cluster.run("dead", "retry", first["id"])

    api.until(lambda: len(letters()) == 4)
    assert [each["retried"] is None for each in letters()] == [False, False, True, True]
