"""What an operator sees of a service that works: metrics that dashboards and alerts name, logs that machines read."""

import json
import re
from pathlib import Path

import pytest

from tests.media import video
from tests.serving.service import Service

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAME = re.compile(r"\b(?:sightline|process)_[a-z_]+")
# Families without a series until the first of them happens.
RARE = {
    "sightline_duplicates_total",
    "sightline_awaits",
}


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A service that has processed a video by a pipeline that tracks, been refused one, and lost its worker; its log."""
    folder = tmp_path_factory.mktemp("worked")
    clip = video(folder / "street.mp4", 40, size=(320, 192))
    log = folder / "log"
    with log.open("w") as stderr:
        service = Service(folder / "data", stderr=stderr).start()
        _, answer = service.upload(clip, pipeline="traffic")
        service.result(answer["event_id"])
        (folder / "no.mp4").write_bytes(b"no video" * 1000)
        service.upload(folder / "no.mp4")
        yield service, log, answer["event_id"]
        service.kill()


def metrics(service) -> str:
    status, body = service.get("/metrics")
    assert status == 200
    return body.decode()


def families(text) -> set[str]:
    return set(re.findall(r"(?m)^# TYPE (\S+)", text))


def test_every_metric_that_dashboard_and_alerts_name_is_there(worked):
    """With a series, but for what a calm service never sees; buckets and counts of histograms are theirs."""
    service, _, _ = worked
    text = metrics(service)
    series = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line and line[0] != "#"}
    named = {
        name
        for path in (DEPLOY / "grafana" / "sightline.json", DEPLOY / "prometheus" / "alerts.yml")
        for expression in expressions(path)
        for name in NAME.findall(expression)
    }

    assert len(named) > 12
    assert named - series <= RARE
    assert named & RARE <= families(text)


def test_every_metric_of_the_service_is_documented(worked):
    """In the table of the how-to."""
    service, _, _ = worked
    page = (DEPLOY.parent / "docs" / "how-to" / "service.md").read_text()

    assert [
        name
        for name in sorted(families(metrics(service)))
        if name.startswith("sightline") and name not in page
    ] == []


def test_labels_that_are_asked_for_are_there(worked):
    """A dashboard whose `by (stage)` finds no stage shows one line for all."""
    service, _, _ = worked
    text = metrics(service)

    for stage in ("feed", "detect", "track", "stats", "collect"):
        assert f'sightline_frames_total{{outcome="ok",stage="{stage}"}}' in text
        assert f'sightline_lag_records{{stage="{stage}"}}' in text
    assert re.search(r'sightline_job_duration_seconds_count\{outcome="ready"\} 1\.0', text)
    assert re.search(r'sightline_build_info\{engine="\w+ [\d.]+\S*",version="[\d.]+\S*"\} 1\.0', text)


def test_each_frame_was_counted_once_by_each_stage(worked):
    """However many groups there are: a frame of two groups passes `track` twice, and `detect` once."""
    service, _, _ = worked
    text = metrics(service)

    def frames(stage):
        return float(re.search(rf'sightline_frames_total{{outcome="ok",stage="{stage}"}} (\S+)', text)[1])

    assert (frames("feed"), frames("detect")) == (40, 40)
    assert frames("track") == frames("stats")
    assert frames("track") % 40 == 0


def test_each_line_of_the_log_is_an_object_that_names_its_process(worked):
    """With the job from its upload to its end, and every request once."""
    _, log, job_id = worked
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert all(list(line)[:3] == ["time", "level", "event"] for line in lines)
    assert {line["process"] for line in lines} == {"api", "supervisor", "worker"}
    mine = [(line["event"], line.get("state")) for line in lines if line.get("job_id") == job_id]
    assert mine[0] == ("job accepted", None)
    assert mine[-1] == ("job moved", "ready")
    asked = [line for line in lines if line["event"] == "request" and line["route"] == "/api/upload_video"]
    assert [line["status"] for line in asked] == [200, 415]
    assert [line["has"] for line in lines if line["event"] == "confinement"]


def test_counts_go_on_where_a_worker_dies(worked):
    """Whoever draws them sees no step down, and that it was away."""
    service, _, _ = worked
    before = metrics(service)
    service.kill_one("worker")
    service.until(lambda: service.get("/ready")[0] == 200)
    after = metrics(service)

    line = re.compile(r'sightline_frames_total\{outcome="ok",stage="detect"\} (\S+)')
    assert float(line.search(after)[1]) == float(line.search(before)[1]) == 40


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yml")), ids=lambda path: path.name)
def test_files_of_prometheus_are_what_they_look_like(path):
    """No tab, and every key at a step of two: what a reader of YAML would stumble over first."""
    for line in path.read_text().splitlines():
        assert "\t" not in line
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0
    assert path.read_text().endswith("\n")


def expressions(path: Path) -> list[str]:
    """What Prometheus is asked, in a dashboard or a file of alerts."""
    if path.suffix == ".json":
        panels = json.loads(path.read_text())["panels"]
        return [target["expr"] for panel in panels for target in panel.get("targets", ())]
    found = re.findall(r"(?m)^ +expr: (?:>\n((?: {10,}.*\n)+)|(.*)\n)", path.read_text())
    assert len(found) == path.read_text().count("- alert:")
    return ["".join(each) for each in found]


def test_what_becomes_of_its_processes_is_in_the_log(worked):
    """As the lines of the others: when, and what happened; also whatever else is at stderr is an object a line."""
    service, log, _ = worked
    service.kill_one("worker")

    def said():
        lines = map(json.loads, log.read_text().splitlines())
        return {line["event"]: line for line in lines if line["process"] == "supervisor"}

    service.until(lambda: "died" in said())
    assert said()["serving"]["api"] == service.ports["api"]
    assert (said()["died"]["child"], said()["died"]["code"], said()["died"]["level"]) == (
        "worker",
        -9,
        "warning",
    )
