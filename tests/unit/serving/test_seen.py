"""What the API process sees of a worker that works, stands still, or is away."""

import pytest

from sightline.errors import Unavailable
from sightline.serving.seen import STILL_S, Seen

WELL = {
    "waiting": 0,
    "still_s": 0.0,
    "stage": "",
    "confinement": "rlimits, seccomp",
    "confined": True,
    "model": "sightline-tiny",
}
REPORT = {
    "process": "1-1",
    "families": [
        {
            "name": "sightline_frames",
            "kind": "counter",
            "about": "n",
            "samples": [{"name": "sightline_frames_total", "labels": {"stage": "detect"}, "value": 5}],
        }
    ],
}


class Worker:
    """Answers questions, or does not."""

    def __init__(self):
        self.told, self.away = dict(WELL), False

    def ask(self, call):
        if self.away:
            raise Unavailable("no")
        return {"status": self.told, "metrics": REPORT}[call]


@pytest.fixture
def worker():
    return Worker()


@pytest.mark.parametrize(
    ("waiting", "still_s", "moving"),
    [(0, STILL_S * 2, True), (3, STILL_S - 1, True), (3, STILL_S + 1, False), (0, 0, True)],
)
def test_work_that_waits_and_does_not_move_is_what_is_wrong(worker, waiting, still_s, moving):
    """Where nothing waits nothing need move."""
    worker.told |= {"waiting": waiting, "still_s": still_s, "stage": "detect"}

    found = Seen(worker).vitals()

    assert found.moving is moving
    assert (found.stage, found.still_s) == (("", 0.0) if moving else ("detect", still_s))


def test_a_worker_that_is_away_is_what_stands_still(worker):
    """For as long as it has said nothing. What confines uploads, and the model, are what they were; what it waits for is not known."""
    clock = [100.0]
    seen = Seen(worker, lambda: clock[0])
    clock[0] = 130.0
    worker.told |= {"awaits": ["kafka_down"]}
    assert seen.vitals().awaits == ("kafka_down",)
    worker.away = True
    clock[0] = 175.0

    found = seen.vitals()

    assert found.still_s == 45.0
    assert (found.moving, found.stage, found.confinement) == (False, "worker", "rlimits, seccomp")
    assert (found.model, found.awaits) == ("sightline-tiny", ())


def test_a_machine_that_cannot_confine_stays_one(worker):
    """Also while its worker is on its way up again."""
    worker.told |= {"confinement": "rlimits", "confined": False}
    seen = Seen(worker)
    seen.vitals()
    worker.away = True

    assert not seen.vitals().confined


def test_what_a_worker_counted_is_shown_while_it_is_away(worker):
    """And that it is."""
    seen = Seen(worker)
    before = seen.reports()
    worker.away = True
    after = seen.reports()

    assert before["worker"] == after["worker"]
    assert [each["worker alive"].families[0].samples[0].value for each in (before, after)] == [1, 0]


def test_before_a_worker_said_anything_there_is_only_that(worker):
    """A service that has just been started."""
    worker.away = True

    assert list(Seen(worker).reports()) == ["worker alive"]
