"""deploy/kubernetes: what kustomize makes of each folder is what Kubernetes and our own program understand."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
from tools.docs.commands import blocks

import sightline
from sightline.api import health
from sightline.models.registry import BUNDLED
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
# What is said of a workload, beside how many pods it has: nothing keeps a new setting from its pods, or drops what they wrote.
SAID = {
    "Deployment": {"selector", "strategy", "template"},
    "StatefulSet": {"serviceName", "selector", "template", "volumeClaimTemplates"},
}
# And of a pod: nothing of a node, and nothing that a cluster need not have.
SAID_OF_POD = {
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "initContainers",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
    "volumes",
}
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
    """Commands, roles, flags, variables, and every key of the settings; with its secrets nothing is missing, its model is in the image."""
    for pod in manifests.pods():
        for container in pod.containers:
            assert list(manifests.calls(pod, container)), container["name"]
        options = manifests.options(pod)
        addresses.check(options, dict.fromkeys(SECRETS[options.ledger], "secret"))
        assert options.model == BUNDLED


def test_the_pods_do_all_of_the_work_and_nothing_twice(manifests):
    """Each role is that of one workload, which knows its own pods."""
    pods = manifests.pods()
    roles = [role for pod in pods for role in manifests.roles(pod)]

    assert sorted(roles) == sorted(ROLES)
    for pod in pods:
        mine = pod.owner["spec"]["selector"]
        assert [each.name for each in pods if selects(mine, each.labels)] == [pod.name]
        assert mine["matchLabels"]["app.kubernetes.io/name"] == "sightline"


def test_tables_and_topics_are_there_before_anybody_works(shared):
    """Each pod sees to it, whichever is the first one: where they are, nothing happens."""
    for pod in shared.pods():
        prepared = [words for each in pod.spec["initContainers"] for words, _ in shared.calls(pod, each)]
        assert [words[:2] for words in prepared] == [["migrate", "--config"], ["topics", "create"]]
        for container in pod.spec["initContainers"]:
            assert container["envFrom"] == pod.main["envFrom"]
            assert shared.options(pod, container).partitions == shared.options(pod).partitions


def test_each_record_is_on_three_brokers(shared):
    """But for `small`, which is for one broker."""
    for pod in shared.pods():
        for container in pod.spec["initContainers"]:
            for words, given in shared.calls(pod, container):
                if words[0] == "topics":
                    assert given["replication"] == (1 if shared.name == "small" else 3)


def test_all_containers_of_a_folder_are_of_one_image(manifests):
    """Which a node fetches where it lacks it."""
    containers = [each for pod in manifests.pods() for each in pod.containers]

    assert len({each["image"] for each in containers}) == 1
    assert {each["imagePullPolicy"] for each in containers} == {"IfNotPresent"}


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
        assert set(pod.spec) <= SAID_OF_POD
        kinds = {key for each in pod.volumes().values() for key in each}
        assert kinds <= {"name", "configMap", "emptyDir", "claim"}
        assert not [port for port in pod.main["ports"] if "hostPort" in port]
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


def room_of(volume):
    """Bytes on a disk: what lies in memory counts as the container's."""
    if "claim" in volume:
        return quantity(volume["claim"]["resources"]["requests"]["storage"])
    assert set(volume["emptyDir"]) == {"sizeLimit"}
    return quantity(volume["emptyDir"]["sizeLimit"])


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
        assert {each["name"] for each in pod.main["volumeMounts"]} == {"settings", "tmp", "data"}
        assert all("/tmp" in [at["mountPath"] for at in each["volumeMounts"]] for each in pod.containers)
        assert str(options.data) == "/data"
        room = {path: room_of(volume) for path, volume in writable.items()}
        assert room["/tmp"] > options.max_upload
        if options.objects == "s3":
            assert room["/data"] > options.s3_cache + options.max_upload
        else:
            assert room["/data"] > options.max_uploads * options.max_upload


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
            assert pod.main[probe]["timeoutSeconds"] > health.PATIENCE_S
            assert port in pod.ports
        seconds = {
            each: pod.main[f"{each}Probe"]["periodSeconds"] * pod.main[f"{each}Probe"]["failureThreshold"]
            for each in ("startup", "liveness", "readiness")
        }
        assert seconds["startup"] >= 120  # it loads its model meanwhile
        assert seconds["liveness"] > 60
        assert seconds["readiness"] <= 60


def test_who_is_told_to_end_has_the_time_to(manifests):
    """The supervisor gives each of its processes some, one after the other; whoever answers is out of the Service first."""
    for pod in manifests.pods():
        before = pod.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        answers = "api" in manifests.roles(pod)
        assert pod.spec["terminationGracePeriodSeconds"] > before + (2 if answers else 1) * PATIENCE_S
        others = manifests.name != "single"  # to go on answering meanwhile
        assert before == (5 if answers and others else 0)


def test_who_may_use_how_much_is_said(manifests):
    """Of every container, and it can work with it; threads that detect are as many as the cores, which a process in a container cannot see."""
    for pod in manifests.pods():
        for container in pod.containers:
            for what in ("cpu", "memory"):
                asked, most = (container["resources"][each][what] for each in ("requests", "limits"))
                assert 0 < quantity(asked) <= quantity(most), (pod.name, container["name"], what)
            most = {what: quantity(text) for what, text in container["resources"]["limits"].items()}
            assert most["cpu"] >= 1
            assert most["memory"] >= (2**30 if container == pod.main else 2**28)
        if "detect" in manifests.roles(pod):
            assert manifests.options(pod).workers == quantity(pod.main["resources"]["limits"]["cpu"])


def test_nodes_are_emptied_one_pod_of_a_role_at_a_time(manifests):
    """Each workload has a budget of its own; one that let nobody go would keep a node from being emptied, as would pods that wait for a store."""
    budgets = manifests.of("PodDisruptionBudget")
    for pod in manifests.pods():
        (mine,) = (each["spec"] for each in budgets if selects(each["spec"]["selector"], pod.labels))
        assert mine == {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": mine["selector"],
        }
    assert len(budgets) == len(manifests.pods())


def test_pods_of_a_role_are_spread_over_nodes(shared):
    """Where there are several; and no rollout takes away the old ones before the new ones are ready."""
    for pod in shared.pods():
        spread = {each["topologyKey"]: each for each in pod.spec["topologySpreadConstraints"]}
        assert "kubernetes.io/hostname" in spread
        for each in spread.values():
            assert selects(each["labelSelector"], pod.labels)
            assert "app.kubernetes.io/component" in each["matchLabelKeys"]
            assert (each["maxSkew"], each["whenUnsatisfiable"]) == (1, "ScheduleAnyway")
        assert pod.owner["spec"]["strategy"] == {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_a_service_finds_its_pods_by_names_that_they_know(manifests):
    """At each of their ports, inside of the cluster alone; and whoever calls it by its name is answered."""
    for service in manifests.of("Service"):
        (pod,) = (
            each
            for each in manifests.pods()
            if selects({"matchLabels": service["spec"]["selector"]}, each.labels)
        )
        ports = service["spec"]["ports"]
        assert {each["targetPort"]: each["port"] for each in ports} == pod.ports
        assert not [each for each in ports if "protocol" in each]
        assert set(service["spec"]) == {"selector", "ports"}
        name = service["metadata"]["name"]
        assert {name, f"{name}.sightline.svc"} <= set(manifests.options(pod).hosts)


def rules(manifests, pod, way):
    """What the policies of a pod allow."""
    policies = [each["spec"] for each in manifests.of("NetworkPolicy")]
    return [
        rule
        for policy in policies
        if way in policy["policyTypes"] and selects(policy["podSelector"], pod.labels)
        for rule in policy.get(way.lower(), ())
    ]


def opened(rules):
    """Ports, each for itself."""
    ports = [port for rule in rules for port in rule["ports"]]
    assert all(set(port) == {"protocol", "port"} for port in ports)
    return {(port["protocol"], port["port"]) for port in ports}


def port_of(address, usual):
    """The one that an address names, or the usual one."""
    return urlsplit(address).port or usual


def namespace(name):
    """All pods of one."""
    return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}]


def test_nobody_is_reached_or_reaches_anybody_but_by_a_rule(manifests):
    """A pod is reached at the ports that it has; a worker's only by those who watch."""
    policies = [each["spec"] for each in manifests.of("NetworkPolicy")]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    for pod in manifests.pods():
        allowed = rules(manifests, pod, "Ingress")
        assert opened(allowed) == {("TCP", port) for port in pod.ports.values()}, pod.name
        if "api" not in manifests.roles(pod):
            assert [rule["from"] for rule in allowed] == [namespace("monitoring")]


def test_each_pod_reaches_its_stores_and_names(shared):
    """By the ports that the settings name, and none of a store that was not chosen; names are those of the cluster."""
    for pod in shared.pods():
        options = shared.options(pod)
        wanted = {port_of(f"//{broker}", 9092) for broker in options.kafka.split(",")} | {9092}
        wanted |= {port_of(options.postgres, 5432) if options.ledger == "postgres" else 27017}
        wanted |= {port_of(options.s3_endpoint, 443)}
        names, stores = (
            [rule for rule in rules(shared, pod, "Egress") if ("to" in rule) is inside]
            for inside in (True, False)
        )
        assert opened(stores) == {("TCP", port) for port in wanted}
        assert opened(names) == {("UDP", 53), ("TCP", 53)}
        assert [rule["to"] for rule in names] == [namespace("kube-system")]


def test_one_pod_that_has_everything_reaches_nobody(tmp_path):
    """It has no store elsewhere."""
    single = Manifests("single", tmp_path)

    assert [rules(single, pod, "Egress") for pod in single.pods()] == [[]]


def test_passwords_and_videos_are_encrypted_on_their_way(shared):
    """To brokers, database and object store; where MongoDB is says the secret."""
    for pod in shared.pods():
        options = shared.options(pod)
        assert options.kafka_security == "sasl_tls"
        assert options.s3_endpoint.startswith("https://")
        assert options.ledger == "mongo" or options.postgres.endswith("?sslmode=require")


def test_another_database_is_another_database_and_nothing_else(tmp_path):
    """`mongo` has the settings of `base`."""
    base, mongo = (
        made.options(made.pods()[0]) for made in (Manifests(name, tmp_path) for name in ("base", "mongo"))
    )

    assert mongo == base.model_copy(update={"ledger": "mongo", "postgres": None})


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
    """The settings' name has a hash of what is in them, and all pods name the same; no rollout waits for anybody's word."""
    (settings,) = manifests.of("ConfigMap")

    assert re.fullmatch(r"sightline-[a-z0-9]{10}", settings["metadata"]["name"])
    for pod in manifests.pods():
        assert pod.volumes()["settings"]["configMap"] == {"name": settings["metadata"]["name"]}
        assert set(pod.owner["spec"]) - {"replicas"} == SAID[pod.owner["kind"]]


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
            assert 1 <= pod.owner["spec"].get("replicas", 1) <= most


def test_who_is_scaled_grows_with_what_waits_and_shrinks_slowly(tmp_path):
    """500 frames are one more pod; each change hands partitions on."""
    production = Manifests("production", tmp_path)
    (scaler,) = (each["spec"] for each in production.of("HorizontalPodAutoscaler"))
    (pod,) = (each for each in production.pods() if "detect" in production.roles(each))
    (metric,) = scaler["metrics"]

    assert scaler["scaleTargetRef"] == {
        "apiVersion": pod.owner["apiVersion"],
        "kind": pod.owner["kind"],
        "name": pod.name,
    }
    assert metric["external"]["target"] == {"type": "AverageValue", "averageValue": "500"}
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 600
    assert not [each for each in scaler["behavior"].values() if "selectPolicy" in each]


def test_one_folder_has_one_pod(tmp_path):
    """`sightline serve` holds its volume alone: no second pod is ever beside the first."""
    (pod,) = Manifests("single", tmp_path).pods()

    assert (pod.owner["kind"], pod.owner["spec"]["replicas"]) == ("StatefulSet", 1)
    claim = pod.volumes()["data"]["claim"]
    assert claim == {"accessModes": ["ReadWriteOnce"], "resources": claim["resources"]}


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
        assert {each["image"] for each in pod.containers} == {
            f"registry.local/sightline:{sightline.__version__}"
        }
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
            "owner": json.loads(service.get("/api/v1/service", Authorization=f"Bearer {tokens[0]}")[1])[
                "caller"
            ],
            "by name": service.get("/", Host="sightline.sightline.svc")[0],
            "by another": service.get("/", Host="sightline.elsewhere")[0],
        }
    finally:
        service.stop()

    assert words[0] == "serve"
    assert tokens[0] == tokens[1]
    assert (data / "first-token").stat().st_mode & 0o077 == 0
    assert asked == {
        "prometheus": 200,
        "stranger": 401,
        "owner": {"name": "root", "scope": "admin"},
        "by name": 200,
        "by another": 403,
    }


def test_in_production_nothing_depends_on_one_node_or_on_a_moving_image(tmp_path):
    """Two of each, apart where there is room, of this release."""
    production = Manifests("production", tmp_path)
    (scaler,) = (each["spec"] for each in production.of("HorizontalPodAutoscaler"))
    for pod in production.pods():
        scaled = pod.name == scaler["scaleTargetRef"]["name"]
        assert (scaler["minReplicas"] if scaled else pod.owner["spec"]["replicas"]) >= 2
        assert {each["topologyKey"] for each in pod.spec["topologySpreadConstraints"]} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        (apart,) = pod.spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert apart["podAffinityTerm"] == {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "sightline"}},
            "matchLabelKeys": ["app.kubernetes.io/component"],
        }
        assert pod.main["image"] == f"registry.example/sightline:{sightline.__version__}"
