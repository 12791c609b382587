"""A worker that dies in the middle of an answer: the client sees that it has not all of it, and asks again."""

import http.client
import subprocess
import sys
import time

import pytest

from sightline.serving.rpc import Client as Worker
from tests.contract.serving import World, served
from tests.contract.test_results import ID, stored, url

pytestmark = pytest.mark.contract


class Endless:
    """The process of `tests.contract.endless`."""

    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.endless", str(path)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def is_idle(self):
        """Whether nothing has been computed lately."""
        before = self._cpu()
        time.sleep(0.3)
        return self._cpu() == before

    def _cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rsplit(")")[1].split()[11:13]


@pytest.fixture
def worker(tmp_path_factory):
    path = tmp_path_factory.mktemp("w") / "s"
    made = Endless(path)
    yield made
    made.kill()


@pytest.fixture
def port(worker):
    world = World()
    stored(world, ID)
    world.stream = Worker(worker.path, 10.0).stream
    with served(world) as (port,):
        yield port


def asked(port, path):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", url(path))
    return line, line.getresponse()


def test_an_answer_that_was_cut_is_seen_to_be_cut(port, worker):
    """Its last chunk never comes; with another worker the next question is answered."""
    line, answer = asked(port, "tracks")
    assert answer.status == 200
    assert answer.read(100_000)

    worker.kill()

    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    line.close()
    line, answer = asked(port, "verdicts")
    assert (answer.status, b"worker_down" in answer.read()) == (503, True)
    line.close()
    again = Endless(worker.path)
    try:
        line, answer = asked(port, "verdicts")
        assert (answer.status, answer.read()) == (200, b"{}")
        line.close()
    finally:
        again.kill()


def test_a_client_that_goes_away_ends_the_work(port, worker):
    """And one that does not read is waited for, without work."""
    line, answer = asked(port, "tracks")
    answer.read(10_000)
    end = time.monotonic() + 8
    while not worker.is_idle():  # what is on its way has found its place
        assert time.monotonic() < end, "it goes on though nobody reads"
    line.close()
    answer.close()

    for _ in range(10):  # more than there are threads: each was given back
        line, answer = asked(port, "tracks")
        assert answer.read(1000)
        line.close()
        answer.close()
