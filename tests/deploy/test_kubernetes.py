"""deploy/kubernetes: what kustomize makes of each folder is what Kubernetes and our own program understand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
from tools.docs.commands import blocks

from sightline.serving import addresses
from sightline.serving.config import PORTS, ROLES
from sightline.serving.supervisor import PATIENCE_S, PORT_OF
from tests.deploy.manifests import FOLDER, OVERLAYS, SECRETS, Manifests, quantity, selects
from tests.deploy.native import ROOT
from tests.deploy.needs import need
from tests.servers.programs import Kubernetes
from tests.serving.service import OURS, Service

RELEASES = ("1.31", "1.37")  # of Kubernetes: the oldest one that knows all fields, and the newest
SHARED = tuple(name for name in OVERLAYS if name != "single")
STORES = {"postgres": 5432, "mongo": 27017, "s3": 443}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|_URI$|://[^/\s]*:[^/\s]*@", re.I)


@pytest.fixture(scope="module", autouse=True)
def kustomize():
    """Kustomize itself."""
    need(Kubernetes().install)


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request, tmp_path_factory):
    """Each folder."""
    return Manifests(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=SHARED)
def shared(request, tmp_path_factory):
    """Each folder whose pods share the work."""
    return Manifests(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_knows_every_object(manifests, release):
    """By its own schemas, in which no field is unknown; all that a namespace can hold is in ours."""
    for each in manifests.objects:
        kubernetes_validate.validate(each, release, strict=True)
        assert each["metadata"]["namespace"] == "sightline"


def test_each_container_runs_what_our_program_understands(manifests):
    """Commands, roles, flags, variables, and every key of the settings; with its secrets nothing is missing."""
    for pod in manifests.pods():
        for container in pod.containers:
            assert list(manifests.calls(pod, container)), container["name"]
        options = manifests.options(pod)
        addresses.check(options, dict.fromkeys(SECRETS[options.ledger], "secret"))


def test_the_pods_do_all_of_the_work_and_nothing_twice(manifests):
    """Each role is that of one workload."""
    roles = [role for pod in manifests.pods() for role in manifests.roles(pod)]

    assert sorted(roles) == sorted(ROLES)


def test_tables_and_topics_are_there_before_anybody_works(shared):
    """Each pod sees to it, whichever is the first one: where they are, nothing happens."""
    for pod in shared.pods():
        prepared = [words for each in pod.spec["initContainers"] for words, _ in shared.calls(pod, each)]
        assert [words[:2] for words in prepared] == [["migrate", "--config"], ["topics", "create"]]
        for container in pod.spec["initContainers"]:
            assert container["envFrom"] == pod.main["envFrom"]
            assert shared.options(pod, container).partitions == shared.options(pod).partitions


def test_no_pod_has_rights_to_spare(manifests):
    """Nobody is root, writes to the image, gains rights, speaks to Kubernetes, or sees the node."""
    for pod in manifests.pods():
        assert (
            pod.spec["securityContext"].items()
            >= {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "runAsGroup": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            }.items()
        )
        assert not pod.spec["automountServiceAccountToken"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec)
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
    for account in manifests.of("ServiceAccount"):
        assert not account["automountServiceAccountToken"]
    assert {pod.spec["serviceAccountName"] for pod in manifests.pods()} == {
        account["metadata"]["name"] for account in manifests.of("ServiceAccount")
    }


def test_kubernetes_makes_no_variables_that_we_would_take_for_settings(manifests):
    """Of a Service `sightline-api` it makes `SIGHTLINE_API_PORT`, and an unknown `SIGHTLINE_*` is an error."""
    assert any(each["metadata"]["name"].startswith("sightline") for each in manifests.of("Service"))
    for pod in manifests.pods():
        assert pod.spec["enableServiceLinks"] is False


def test_what_a_pod_writes_has_room_and_an_end(manifests):
    """/tmp and the data folder alone; copies of objects are fewer than the folder may hold."""
    for pod in manifests.pods():
        volumes, options = pod.volumes(), manifests.options(pod)
        writable = {
            mount["mountPath"]: volumes[mount["name"]]
            for container in pod.containers
            for mount in container["volumeMounts"]
            if not mount.get("readOnly")
        }
        assert set(writable) == {"/tmp", "/data"}
        assert str(options.data) == "/data"
        for volume in writable.values():
            assert "claim" in volume or volume["emptyDir"]["sizeLimit"]
        if options.objects == "s3":
            assert options.s3_cache + options.max_upload < quantity(
                writable["/data"]["emptyDir"]["sizeLimit"]
            )


def test_a_pod_opens_the_ports_of_its_roles_and_no_others(manifests):
    """Where our program listens: those of the API's roles, and health of those who answer nobody else."""
    for pod in manifests.pods():
        options, roles = manifests.options(pod), manifests.roles(pod)
        answers = {"api", "generator"} & set(roles)
        opened = {getattr(options, f"{name}_port") for name in PORTS if answers and PORT_OF[name] in roles}
        if options.health_port is not None:
            opened.add(options.health_port)
        assert set(pod.ports.values()) == opened
        assert str(options.host) == "0.0.0.0"


def test_probes_ask_what_they_mean(manifests):
    """A new start is for who hangs alone: not for who waits for a broker, a database, or another stage."""
    for pod in manifests.pods():
        answers = "api" in manifests.roles(pod)
        alive, ready, port = ("/", "/ready", "api") if answers else ("/health", "/health", "health")
        for probe, path in (("startupProbe", alive), ("livenessProbe", alive), ("readinessProbe", ready)):
            assert pod.main[probe]["httpGet"] == {"path": path, "port": port}, (pod.name, probe)
            assert port in pod.ports
        slow = pod.main["livenessProbe"]
        assert slow["periodSeconds"] * slow["failureThreshold"] > 60


def test_who_is_told_to_end_has_the_time_to(manifests):
    """The supervisor gives each of its processes some, one after the other; whoever answers is out of the Service first."""
    for pod in manifests.pods():
        before = pod.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        answers = "api" in manifests.roles(pod)
        assert pod.spec["terminationGracePeriodSeconds"] > before + (2 if answers else 1) * PATIENCE_S
        others = manifests.name != "single"  # to go on answering meanwhile
        assert bool(before) is (answers and others)


def test_who_may_use_how_much_is_said(manifests):
    """Of every container; threads that detect are as many as the cores, which a process in a container cannot see."""
    for pod in manifests.pods():
        for container in pod.containers:
            for what in ("cpu", "memory"):
                asked, most = (container["resources"][each][what] for each in ("requests", "limits"))
                assert 0 < quantity(asked) <= quantity(most), (pod.name, container["name"], what)
        if "detect" in manifests.roles(pod):
            assert manifests.options(pod).workers == quantity(pod.main["resources"]["limits"]["cpu"])


def test_nodes_are_emptied_one_pod_of_a_role_at_a_time(manifests):
    """Each workload has a budget of its own; one that let nobody go would keep a node from being emptied."""
    budgets = manifests.of("PodDisruptionBudget")
    for pod in manifests.pods():
        (mine,) = (each for each in budgets if selects(each["spec"]["selector"], pod.labels))
        assert mine["spec"]["maxUnavailable"] == 1
    assert len(budgets) == len(manifests.pods())


def test_pods_of_a_role_are_spread_over_nodes(shared):
    """And no rollout takes away the old ones before the new ones are ready."""
    for pod in shared.pods():
        spread = {each["topologyKey"]: each for each in pod.spec["topologySpreadConstraints"]}
        assert "kubernetes.io/hostname" in spread
        for each in spread.values():
            assert selects(each["labelSelector"], pod.labels)
            assert "app.kubernetes.io/component" in each["matchLabelKeys"]
        assert pod.owner["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_a_service_finds_its_pods_by_names_that_they_know(manifests):
    """And whoever calls it by its name is answered."""
    for service in manifests.of("Service"):
        (pod,) = (
            each
            for each in manifests.pods()
            if selects({"matchLabels": service["spec"]["selector"]}, each.labels)
        )
        for port in service["spec"]["ports"]:
            assert pod.ports[port["targetPort"]] == port["port"]
        name = service["metadata"]["name"]
        assert {name, f"{name}.sightline.svc"} <= set(manifests.options(pod).hosts)


def test_nobody_is_reached_or_reaches_anybody_but_by_a_rule(manifests):
    """A pod is reached at the ports that it has; a worker's only by those who watch."""
    policies = [each["spec"] for each in manifests.of("NetworkPolicy")]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    for pod in manifests.pods():
        rules = [
            rule
            for policy in policies
            if policy["podSelector"] and selects(policy["podSelector"], pod.labels)
            for rule in policy.get("ingress", ())
        ]
        assert {port["port"] for rule in rules for port in rule["ports"]} == set(pod.ports.values()), pod.name
        assert all("from" in rule for rule in rules) or "api" in manifests.roles(pod)


def test_each_pod_reaches_its_stores_and_names(shared):
    """By the ports that the settings name, and none of a store that was not chosen."""
    policies = [each["spec"] for each in shared.of("NetworkPolicy")]
    for pod in shared.pods():
        options = shared.options(pod)
        wanted = {int(broker.rpartition(":")[2]) for broker in options.kafka.split(",")}
        wanted |= {STORES[options.ledger], STORES["s3"]}
        opened = {
            port["port"]
            for policy in policies
            if policy["podSelector"] and selects(policy["podSelector"], pod.labels)
            for rule in policy.get("egress", ())
            for port in rule["ports"]
        }
        assert opened - wanted == {53, 9092}
        assert wanted <= opened


def test_no_secret_is_in_a_file(manifests):
    """Containers get them from one that is made by hand; the API alone asks for tokens, and nobody else answers strangers."""
    assert not manifests.of("Secret")
    for pod in manifests.pods():
        options = manifests.options(pod)
        for container in pod.containers:
            variables = container.get("env", ())
            assert not [
                each["name"] for each in variables if SECRET.search(f"{each['name']}={each['value']}")
            ]
        if SECRETS[options.ledger]:
            assert pod.main["envFrom"] == [{"secretRef": {"name": "sightline"}}]
        assert options.no_auth is ("api" not in manifests.roles(pod))
    for each in manifests.of("ConfigMap"):
        for text in each["data"].values():
            assert not [line for line in text.splitlines() if SECRET.search(line.partition("#")[0])]


def test_a_changed_setting_starts_every_pod_anew(manifests):
    """The settings' name has a hash of what is in them, and all pods name the same."""
    (settings,) = manifests.of("ConfigMap")

    assert re.fullmatch(r"sightline-[a-z0-9]{10}", settings["metadata"]["name"])
    assert {pod.volumes()["settings"]["configMap"]["name"] for pod in manifests.pods()} == {
        settings["metadata"]["name"]
    }


def test_prometheus_asks_the_port_that_answers(manifests):
    """The API where it asks for no token; workers on their health port."""
    for pod in manifests.pods():
        options = manifests.options(pod)
        answers = "api" in manifests.roles(pod)
        said = {key.removeprefix("prometheus.io/"): value for key, value in pod.annotations.items()}
        port = options.api_port if answers else options.health_port
        assert said == {"scrape": "true", "path": "/metrics", "port": str(port)}
        assert options.open_metrics is answers


def test_no_role_has_more_pods_than_there_are_partitions(shared):
    """One more would have nothing to do; who is scaled has no number of its own, which each apply would bring back."""
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in shared.of("HorizontalPodAutoscaler")
    }
    assert set(scaled) == ({"sightline-detect"} if shared.name == "production" else set())
    for pod in shared.pods():
        most = shared.options(pod).partitions
        if pod.name in scaled:
            assert "replicas" not in pod.owner["spec"]
            assert 1 < scaled[pod.name]["minReplicas"] <= scaled[pod.name]["maxReplicas"] <= most
        else:
            assert pod.owner["spec"].get("replicas", 1) <= most


def test_one_folder_has_one_pod(tmp_path):
    """`sightline serve` holds its volume alone: no second pod is ever beside the first."""
    (pod,) = Manifests("single", tmp_path).pods()

    assert (pod.owner["kind"], pod.owner["spec"]["replicas"]) == ("StatefulSet", 1)
    assert pod.volumes()["data"]["claim"]["accessModes"] == ["ReadWriteOnce"]


def test_a_folder_of_ones_own_is_what_the_page_shows(tmp_path):
    """Its image and its settings take the place of ours, in every pod."""
    folder = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, folder)
    (folder / "mine").mkdir()
    files = {"yaml": "kustomization.yaml", "toml": "cluster.toml"}
    for block in blocks((ROOT / "docs" / "how-to" / "kubernetes.md").read_text()):
        if block.language in files:
            (folder / "mine" / files[block.language]).write_text(block.text)
    mine = Manifests("mine", tmp_path, folder)

    for pod in mine.pods():
        assert {each["image"] for each in pod.containers} == {"registry.local/sightline:0.1.0"}
        assert mine.options(pod).s3_endpoint == "https://s3.local"


def test_the_single_service_starts_and_is_asked_as_the_cluster_would(tmp_path):
    """With the token that is made for it before its first start; a later start makes no other one."""
    single = Manifests("single", tmp_path)
    (pod,) = single.pods()
    (prepared,) = pod.spec["initContainers"]
    data = tmp_path / "data"
    data.mkdir()
    (script,) = prepared["args"]
    variables = {
        **{name: value for name, value in os.environ.items() if name not in OURS},
        **single.environment(prepared),
        "SIGHTLINE_SERVE__DATA": str(data),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    tokens = []
    for _ in range(2):
        command = [*prepared["command"], script.replace("/data/", f"{data}/")]
        subprocess.run(command, check=True, env=variables, capture_output=True)
        tokens.append((data / "first-token").read_text().strip())
    words = [word.replace("/etc/sightline", str(single.settings(pod))) for word in pod.main["args"]]
    service = Service(data, *words[1:], "--host", "0.0.0.0").start()
    try:
        probes = {
            pod.main[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")
        }
        service.until(lambda: all(service.get(path)[0] == 200 for path in probes))
        asked = {
            "prometheus": service.get(pod.annotations["prometheus.io/path"])[0],
            "stranger": service.get("/api/v1/jobs")[0],
            "owner": service.get("/api/v1/jobs", Authorization=f"Bearer {tokens[0]}")[0],
            "by name": service.get("/", Host="sightline.sightline.svc")[0],
            "by another": service.get("/", Host="sightline.elsewhere")[0],
        }
    finally:
        service.stop()

    assert words[0] == "serve"
    assert tokens[0] == tokens[1]
    assert (data / "first-token").stat().st_mode & 0o077 == 0
    assert asked == {"prometheus": 200, "stranger": 401, "owner": 200, "by name": 200, "by another": 403}


def test_in_production_nothing_depends_on_one_node_or_on_a_moving_image(tmp_path):
    """Two of each, apart where there is room, of a release that is named."""
    production = Manifests("production", tmp_path)
    for pod in production.pods():
        assert pod.owner["spec"].get("replicas", 2) >= 2
        (apart,) = pod.spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert selects(apart["podAffinityTerm"]["labelSelector"], pod.labels)
        for container in pod.containers:
            assert re.fullmatch(r"registry\.example/sightline:\d+\.\d+\.\d+", container["image"])
