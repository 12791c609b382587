"""deploy/prometheus and Grafana's provisioning: each process of ours is asked once, and who shows the answers finds them."""

import re
from urllib.parse import urlsplit

import pytest
import yaml

from sightline.settings import ServeOptions
from tests.cluster.watched import DASHBOARD
from tests.deploy.manifests import OVERLAYS, Manifests
from tests.deploy.native import ROOT, load, ports_of
from tests.deploy.needs import need
from tests.servers.programs import Compose, Kubernetes

FOLDER = ROOT / "deploy" / "prometheus"


def scraped(name):
    """Of whom a Prometheus asks what; the alerts are beside its settings."""
    config = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    (job,) = config["scrape_configs"]
    assert config["rule_files"] == ["alerts.yml"]
    assert set(config) == {"global", "rule_files", "scrape_configs"}
    assert set(config["global"]) == {"scrape_interval", "evaluation_interval"}
    assert all(re.fullmatch(r"5s|15s", text) for text in config["global"].values())
    return job


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


@pytest.mark.parametrize("name", ["prometheus", "compose", "kubernetes"])
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
