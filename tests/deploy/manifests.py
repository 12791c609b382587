"""What a folder of deploy/kubernetes tells a cluster, as kustomize builds it, and what its containers would run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sightline.cli import flags
from sightline.cli.program import build
from sightline.serving.config import ROLES
from sightline.settings import ServeOptions
from tests.deploy.native import variables_of_image
from tests.servers.programs import Kubernetes

__all__ = ["FOLDER", "OVERLAYS", "SECRETS", "Manifests", "Pod", "quantity", "selects"]

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = tuple(sorted(path.parent.name for path in FOLDER.glob("*/kustomization.yaml")))
# What the secret `sightline` has, by the ledger; a password stands for all.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (),
    "postgres": ("KAFKA_PASSWORD", "PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "mongo": ("KAFKA_PASSWORD", "MONGO_URI", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
}
WORKLOADS = ("Deployment", "StatefulSet")
UNITS = {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True)
class Pod:
    """A pod that a workload makes."""

    owner: dict[str, Any]

    @property
    def name(self) -> str:
        """Of its workload."""
        return str(self.owner["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        """Its own."""
        return dict(self.owner["spec"]["template"]["metadata"]["labels"])

    @property
    def annotations(self) -> dict[str, str]:
        """Its own."""
        return dict(self.owner["spec"]["template"]["metadata"]["annotations"])

    @property
    def spec(self) -> dict[str, Any]:
        """Its own."""
        return dict(self.owner["spec"]["template"]["spec"])

    @property
    def main(self) -> dict[str, Any]:
        """The container that works."""
        (container,) = self.spec["containers"]
        return dict(container)

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All, those that end before the work begins too."""
        return [*self.spec.get("initContainers", ()), self.main]

    @property
    def ports(self) -> dict[str, int]:
        """Of the container that works, by name."""
        return {each["name"]: each["containerPort"] for each in self.main["ports"]}

    def volumes(self) -> dict[str, dict[str, Any]]:
        """What is mounted, by name, as far as the pod itself says it or its workload claims it."""
        claims = self.owner["spec"].get("volumeClaimTemplates", ())
        return {each["name"]: each for each in self.spec["volumes"]} | {
            each["metadata"]["name"]: {"claim": each["spec"]} for each in claims
        }


class Manifests:
    """A folder, built.

    Args:
        name: of the folder.
        place: where settings are written that a pod has mounted.
        among: the folder that it lies in.
    """

    def __init__(self, name: str, place: Path, among: Path = FOLDER) -> None:
        self.name, self.objects = name, Kubernetes().build(among / name)
        self._place = place

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """All objects of these kinds."""
        return [each for each in self.objects if each["kind"] in kinds]

    def pods(self) -> list[Pod]:
        """A pod of each workload."""
        return [Pod(each) for each in self.of(*WORKLOADS)]

    def settings(self, pod: Pod) -> Path:
        """The folder that a pod has mounted as its settings."""
        name = pod.volumes()["settings"]["configMap"]["name"]
        (found,) = (each for each in self.of("ConfigMap") if each["metadata"]["name"] == name)
        for file, text in found["data"].items():
            (self._place / file).write_text(text)
        return self._place

    def calls(self, pod: Pod, container: Mapping[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """What a container runs of our program: the words of each call, and the flags as its parser understands them.

        Raises:
            CycloptsError: a command, role or flag is none of ours.
        """
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        inside, place = mounted.get("settings"), str(self.settings(pod))
        for words in _calls(container):
            here = [word.replace(inside, place) for word in words] if inside else words
            yield words, _understood(*here)

    def options(self, pod: Pod, container: Mapping[str, Any] | None = None) -> ServeOptions:
        """The settings of the service that a container works with: the one that works, unless another is named.

        Raises:
            Misconfigured: a key, a value or a variable is none of ours.
        """
        container = pod.main if container is None else container
        ((_, given),) = self.calls(pod, container)
        known = {key: value for key, value in given.items() if key == "config" or key.startswith("serve__")}
        return flags.read_serve(known, self.environment(container)).options

    def roles(self, pod: Pod) -> tuple[str, ...]:
        """What a pod does of the work."""
        ((words, given),) = self.calls(pod, pod.main)
        return ROLES if words[0] == "serve" else given["role"]

    @staticmethod
    def environment(container: Mapping[str, Any]) -> dict[str, str]:
        """Variables of a container: those of the image and its own."""
        own = {each["name"]: each["value"] for each in container.get("env", ())}
        return {**variables_of_image(), **own}


@cache
def _understood(*words: str) -> dict[str, Any]:
    command, bound, _ = build().parse_args(words, exit_on_error=False, print_error=False)
    assert callable(command)
    return {"role": bound.args, **bound.kwargs}


def _calls(container: Mapping[str, Any]) -> list[list[str]]:
    if "command" not in container:
        return [list(container["args"])]
    (script,) = container["args"]
    return [shlex.split(each) for each in re.findall(r"\bsightline ([^|>\n]+)", script)]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector of Kubernetes takes a pod with these labels."""
    wanted: Sequence[Mapping[str, Any]] = selector.get("matchExpressions", ())
    assert all(each["operator"] == "In" for each in wanted)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in wanted
    )


def quantity(text: str) -> float:
    """Cores or bytes.

    >>> quantity("500m"), quantity("256Mi")
    (0.5, 268435456.0)
    """
    number, unit = re.fullmatch(r"(\d+)(\D*)", text).groups()
    return float(number) * UNITS[unit]
