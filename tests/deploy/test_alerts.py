"""deploy/prometheus/alerts.yml: each alert fires on the series of its bad day, by Prometheus' own engine, and none on those of a calm one."""

import re

import pytest
import yaml

from tests.deploy.native import ROOT
from tests.deploy.needs import need
from tests.servers.programs import Prometheus

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
MINUTES = 91


def steady(value):
    """A gauge, or a counter that does not move."""
    return [value] * MINUTES


def rising(each, first=0):
    """By so much a minute."""
    return [first + each * minute for minute in range(MINUTES)]


def since(minutes, before, after):
    """Another value for the last minutes."""
    return [before] * (MINUTES - minutes) + [after] * minutes


DETECT = 'namespace="vision",stage="detect"'
FRAMES = "sightline_frames_total{" + DETECT + ',outcome="%s"}'
REQUESTS = 'sightline_http_requests_total{namespace="vision",status="%s"}'
FAILED_JOBS = 'sightline_job_duration_seconds_count{namespace="vision",outcome="failed"}'
UP = 'up{job="sightline",instance="api"}'
WORKER = 'sightline_worker_up{namespace="vision",instance="api"}'
STILL, WAITING = "sightline_lag_seconds{" + DETECT + "}", "sightline_lag_records{" + DETECT + "}"
DEAD = "sightline_dead_letters_total{" + DETECT + ',reason="corrupt"}'
FENCED = "sightline_fenced_total{" + DETECT + "}"
AWAITS = 'sightline_awaits{namespace="vision",code="kafka_down"}'
MEMORY = 'process_resident_memory_bytes{job="sightline",instance="api"}'
# Nobody is woken for a stage for which nothing waits, for much that waits and does not grow, for what failed
# hours ago, four jobs of an hour, one frame of a hundred, one request of a thousand, or the memory of somebody else.
CALM = {
    UP: steady(1),
    WORKER: steady(1),
    STILL: steady(3600),
    WAITING: steady(0),
    STILL.replace("detect", "track"): steady(1),
    WAITING.replace("detect", "track"): steady(5000),
    AWAITS: steady(0),
    FAILED_JOBS: rising(4 / 60),
    FRAMES % "ok": rising(990),
    FRAMES % "failed": rising(10),
    DEAD: steady(3),
    FENCED: steady(3),
    REQUESTS % "200": rising(999),
    REQUESTS % "503": rising(1),
    MEMORY: steady(150e6),
    MEMORY.replace("sightline", "other"): steady(1e9),
}
# What is otherwise where each alert fires.
BAD = {
    "SightlineDown": {UP: since(3, 1, 0)},
    "SightlineUnseen": {WORKER: []},
    "SightlineWorkerDown": {WORKER: since(3, 1, 0)},
    "SightlineStandsStill": {WAITING: since(6, 0, 1)},
    "SightlineFallsBehind": {STILL: steady(1), WAITING: rising(20, first=1000)},
    "SightlineAwaits": {AWAITS: since(3, 0, 1)},
    "SightlineJobsFail": {FAILED_JOBS: rising(6 / 60)},
    "SightlineFramesFail": {FRAMES % "failed": rising(60)},
    "SightlineDeadLetters": {DEAD: since(1, 3, 4)},
    "SightlineFenced": {FENCED: since(1, 3, 4)},
    "SightlineErrors": {REQUESTS % "503": rising(11)},
    "SightlineApiMemory": {MEMORY: steady(310e6)},
}
# What comes by itself and goes by itself.
BRIEF = {
    UP: since(2, 1, 0),
    WORKER: since(2, 1, 0),
    WAITING: since(5, 0, 1),
    AWAITS: since(2, 0, 1),
    MEMORY: since(9, 15e7, 31e7),
}


@pytest.fixture(scope="module")
def prometheus():
    """Its own engine."""
    program = Prometheus()
    need(program.install)
    return program


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("alert", BAD)
def test_an_alert_fires_where_it_says_and_no_other_one_does(prometheus, alert):
    """It names what it is about; how bad it is a pager or a list of tickets knows."""
    fired = prometheus.alerts(RULES, CALM | BAD[alert])
    (rule,) = (each for each in rules() if each["alert"] == alert)

    assert {each["alertname"] for each in fired} == {alert}
    assert rule["labels"]["severity"] in ("page", "ticket")
    texts = " ".join(rule["annotations"].values())
    assert all(set(re.findall(r"\$labels\.(\w+)", texts)) <= set(each) for each in fired)


@pytest.mark.parametrize("short", [{}, BRIEF])
def test_nobody_is_woken_for_a_calm_day_or_for_what_ends_by_itself(prometheus, short):
    """A restart is over before an alert has waited."""
    assert prometheus.alerts(RULES, CALM | short) == []


def test_every_alert_is_tried():
    """Whoever writes one says when it fires."""
    assert [each["alert"] for each in rules()] == list(BAD)
