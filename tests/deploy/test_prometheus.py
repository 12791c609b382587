"""deploy/prometheus and deploy/grafana: Prometheus understands what it is asked, and it is asked for what there is."""

import json
import re
from urllib.parse import urlsplit

import pytest
import yaml

from sightline.settings import ServeOptions
from tests.cluster.watched import DASHBOARD, asked
from tests.deploy.manifests import OVERLAYS, Manifests
from tests.deploy.native import ROOT, load, ports_of
from tests.deploy.needs import need
from tests.servers.programs import Compose, Kubernetes, Prometheus

FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "alerts.yml"
ADAPTER = FOLDER / "adapter.yml"
# Who asks whom: one service, containers, pods.
CONFIGS = ("prometheus", "compose", "kubernetes")
# What Prometheus itself says of whom it asks, and what every process says of itself.
OF_ALL = {"up", "process_resident_memory_bytes"}
LABELS_OF_ALL = {"job", "namespace", "le"}
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
# Nobody is woken for a stage for which nothing waits, for much that waits and does not grow, for four jobs of an hour, one
# frame of a hundred, one request of a thousand, or the memory of somebody else.
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
    DEAD: steady(0),
    FENCED: steady(0),
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
    "SightlineDeadLetters": {DEAD: since(1, 0, 1)},
    "SightlineFenced": {FENCED: since(1, 0, 1)},
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


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def scraped(name):
    """Of whom a Prometheus asks what; the alerts are beside its settings."""
    config = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    (job,) = config["scrape_configs"]
    assert config["rule_files"] == [RULES.name]
    assert set(config) == {"global", "rule_files", "scrape_configs"}
    assert set(config["global"]) == {"scrape_interval", "evaluation_interval"}
    assert all(re.fullmatch(r"5s|15s", text) for text in config["global"].values())
    return job


@pytest.mark.parametrize("name", CONFIGS)
def test_every_prometheus_has_the_alerts_and_the_job_that_they_name(name):
    """`sightline`, asked often enough for two minutes to be many scrapes."""
    job = scraped(name)

    assert job["job_name"] == "sightline"
    assert job.get("metrics_path", "/metrics") == "/metrics"


def test_one_service_is_asked_at_its_port():
    """Of the API."""
    assert scraped("prometheus")["static_configs"] == [{"targets": [f"localhost:{ServeOptions().api_port}"]}]


def test_each_container_of_ours_is_asked_at_the_port_that_answers():
    """Of the API, or its health port; who ends by itself is not asked."""
    need(Compose().install)
    asked = {}
    for each in scraped("compose")["dns_sd_configs"]:
        assert each["type"] == "A"
        asked |= dict.fromkeys(each["names"], each["port"])
    wanted = {}
    for profile in ("embedded", "gpu", "system-a", "system-b"):
        for name, service in load(profile).items():
            words = service["command"] or []
            if words[:1] in (["serve"], ["worker"]):
                at = words.index("--health-port") + 1 if "--health-port" in words else None
                wanted[name] = int(words[at]) if at else ServeOptions().api_port

    assert asked == wanted


@pytest.mark.parametrize("folder", OVERLAYS)
def test_each_pod_is_asked_once_at_the_port_that_it_names(folder, tmp_path):
    """Of those that are ours; alerts and autoscaler tell namespaces apart."""
    need(Kubernetes().install)
    job = scraped("kubernetes")
    assert job["kubernetes_sd_configs"] == [{"role": "pod"}]
    for pod in Manifests(folder, tmp_path).pods():
        found = [each for port in pod.ports.values() if (each := relabelled(job, pod, port))]
        (target,) = found
        assert target["port"] == int(pod.annotations["prometheus.io/port"])
        assert (target["namespace"], target["pod"]) == ("vision", pod.name)
    assert relabelled(job, pod, 8080, {"app.kubernetes.io/name": "another"}) is None


def relabelled(job, pod, port, labels=None):
    """What Prometheus makes of one port of a pod; None where it does not ask there."""
    known = {"__meta_kubernetes_namespace": "vision", "__meta_kubernetes_pod_name": pod.name}
    known["__meta_kubernetes_pod_container_port_number"] = str(port)
    for kind, given in (("label", labels or pod.labels), ("annotation", pod.annotations)):
        for key, value in given.items():
            known[f"__meta_kubernetes_pod_{kind}_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}"] = value
    for rule in job["relabel_configs"]:
        (source,) = rule["source_labels"]
        value, action = known.get(source, ""), rule.get("action", "replace")
        if action == "replace":
            known[rule["target_label"]] = value
        elif action == "keep":
            if not re.fullmatch(rule["regex"], value):
                return None
        else:
            assert action == "keepequal"
            if value != known.get(rule["target_label"], ""):
                return None
    return {"port": port, **known}


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


def test_grafana_beside_the_containers_finds_prometheus_and_the_dashboard():
    """By their names inside."""
    need(Compose().install)
    services = load("obs")
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/sightline.yml").read_text())["providers"]
    at = urlsplit(source["url"])

    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert at.port in ports_of(services[at.hostname])
    assert f"{provider['options']['path']}/{DASHBOARD.name}" in [
        each["target"] for each in services["grafana"]["volumes"]
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
