"""deploy/prometheus and deploy/grafana: Prometheus understands what it is asked, and it is asked for what there is."""

import json
import re

import pytest
import yaml

from tests.cluster.watched import DASHBOARD, asked
from tests.deploy.manifests import Manifests
from tests.deploy.native import ROOT
from tests.deploy.needs import need
from tests.servers.programs import Prometheus

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
ADAPTER = ROOT / "deploy" / "prometheus" / "adapter.yml"
# What Prometheus itself says of whom it asks, and what every process says of itself.
OF_ALL = {"up", "process_resident_memory_bytes"}
LABELS_OF_ALL = {"job", "namespace", "le"}


@pytest.fixture(scope="module")
def prometheus():
    """Its own parser."""
    program = Prometheus()
    need(program.install)
    return program


@pytest.fixture(scope="module")
def documented():
    """Labels of each metric of the service, by the table of the how-to, which another test compares with a service."""
    page = (ROOT / "docs" / "how-to" / "service.md").read_text()
    rows = re.findall(
        r"(?m)^\| ((?:`sightline_\w+`(?:, )?)+) \| (counter|gauge|histogram)(?:: ([\w, ]+))? \|", page
    )
    parts = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
    return {
        name + part: set(filter(None, labels.split(", ")))
        for names, kind, labels in rows
        for name in re.findall(r"`(\w+)`", names)
        for part in parts[kind]
    }


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def asked_by_dashboard(prometheus):
    return prometheus.expressions([*asked(json.loads(DASHBOARD.read_text())).values()])


@pytest.mark.parametrize("of", ["alerts", "dashboard"])
def test_what_is_asked_for_is_there(prometheus, documented, of):
    """Each metric, with each label that is named in the same question."""
    asked = prometheus.rules(RULES) if of == "alerts" else asked_by_dashboard(prometheus)

    assert len(asked) > 10
    for each in asked:
        known = [documented.get(metric, set()) for metric in each["metrics"]]
        assert set(each["metrics"]) <= set(documented) | OF_ALL, each["expr"]
        assert set(each["labels"]) <= LABELS_OF_ALL.union(*known), each["expr"]


def test_each_alert_is_one_that_prometheus_takes(prometheus):
    """It says how bad it is and what to look at."""
    text = RULES.read_text()

    assert len(prometheus.rules(RULES)) == text.count("- alert:") == text.count("severity: ")
    assert text.count("summary: ") == text.count("description: ") == text.count("- alert:")


def test_the_dashboard_answers_four_questions():
    """In rows, one below the other; no panel lies on another one."""
    rows = [panel for panel in panels() if panel["type"] == "row"]
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels()
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert [row["title"] for row in rows] == [
        "Is it moving?",
        "Where does it wait?",
        "What failed?",
        "What does a frame cost?",
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_panel_asks_the_prometheus_that_is_chosen():
    """Above the dashboard; each of its questions has a letter of its own."""
    (chosen,) = json.loads(DASHBOARD.read_text())["templating"]["list"]
    source = {"type": chosen["query"], "uid": f"${{{chosen['name']}}}"}

    assert chosen["type"] == "datasource"
    for panel in panels():
        if panel["type"] == "row":
            assert not panel["collapsed"]  # its panels are below it, not in it
            continue
        assert panel["type"] in ("stat", "timeseries")
        assert all(each["datasource"] == source for each in [panel, *panel["targets"]])
        assert len({each["refId"] for each in panel["targets"]}) == len(panel["targets"]) > 0


def test_a_worker_that_does_not_answer_is_red():
    """And said to be down."""
    mapped = [
        each
        for panel in panels()
        for each in panel.get("fieldConfig", {}).get("defaults", {}).get("mappings", ())
    ]

    assert [each["options"] for each in mapped] == [
        {"0": {"text": "down", "color": "red"}, "1": {"text": "up", "color": "green"}}
    ]


def test_the_autoscaler_asks_for_what_the_adapter_gives_it(prometheus, tmp_path):
    """By the name of a metric and its labels; pods that tell the same are not added up."""
    (scaler,) = Manifests("production", tmp_path).of("HorizontalPodAutoscaler")
    (metric,) = (each["external"]["metric"] for each in scaler["spec"]["metrics"])
    text = ADAPTER.read_text()
    (series,) = re.findall(r"seriesQuery: '(.*)'", text)
    (query,) = re.findall(r"metricsQuery: (.*)", text)
    for template, value in (("<<.Series>>", metric["name"]), ("<<.LabelMatchers>>", 'stage="detect"')):
        query = query.replace(template, value)
    offered, asked = prometheus.expressions([series, query])

    assert offered["metrics"] == asked["metrics"] == [metric["name"]]
    assert metric["selector"]["matchLabels"] == {"stage": "detect"}
    assert query == 'max(sightline_lag_records{stage="detect"}) by (stage)'
    assert yaml.safe_load(text)["externalRules"][0]["resources"]["overrides"] == {
        "namespace": {"resource": "namespace"}
    }
