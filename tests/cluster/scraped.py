"""Prometheus over a cluster whose workers come and go: Debian's program, on a free port, with the rules of deploy/prometheus."""

from __future__ import annotations

import json
import math
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.cluster.cluster import Cluster
from tests.servers.programs import HOST, ServiceError, tool
from tests.servers.services import free_ports

__all__ = ["SCRAPE_S", "Scraping", "Series"]

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"
SCRAPE_S = 5
"""As deploy/prometheus/compose.yml has it."""
LOOK_S = 0.5
START_S = 60.0
Series = tuple[dict[str, str], list[float | None]]
"""Labels, and a value for each step; None where there is none, or 0 was divided by 0."""


class Scraping:
    """See the module. A worker that has gone is forgotten, as where its pod is gone.

    Args:
        cluster: at work; whoever answers over HTTP is asked there, the others on their health ports.

    Raises:
        Missing: there is no program `prometheus`.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._program = tool("prometheus", "apt-get install prometheus")
        self._cluster, self._folder = cluster, cluster.folder / "prometheus"
        (self._port,) = free_ports(1)
        self._over = threading.Event()
        self._following = threading.Thread(target=self._follow, name="targets", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Scraping:
        self._folder.mkdir()
        config = {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "sightline", "file_sd_configs": [{"files": ["targets.json"]}]}],
        }
        (self._folder / "prometheus.yml").write_text(json.dumps(config))
        self._following.start()
        words = ["--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, *words, f"--web.listen-address={HOST}:{self._port}"],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise ServiceError(
                    f"prometheus did not come up:\n{(self._folder / 'log').read_text()[-3000:]}"
                )
            time.sleep(0.1)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._following.join()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def over(self, expression: str, since: float, until: float) -> list[Series]:
        """What an expression was at each scrape of a time.

        Args:
            expression: without variables.
            since, until: seconds since the epoch.
        """
        steps = int((until - since) // SCRAPE_S) + 1
        found = []
        for each in self._ask("query_range", query=expression, start=since, end=until, step=SCRAPE_S)[
            "result"
        ]:
            values: list[float | None] = [None] * steps
            for at, text in each["values"]:
                values[round((at - since) / SCRAPE_S)] = None if math.isnan(float(text)) else float(text)
            found.append((dict(each["metric"]), values))
        return sorted(found, key=lambda series: sorted(series[0].items()))

    def rules(self) -> list[dict[str, Any]]:
        """The alerts that Prometheus has read, each with its health."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def version(self) -> str:
        """Of Prometheus."""
        return str(self._ask("status/buildinfo")["version"])

    def _ask(self, path: str, **words: object) -> Any:
        with urllib.request.urlopen(
            f"http://{HOST}:{self._port}/api/v1/{path}?{urlencode(words)}", timeout=60
        ) as answer:
            return json.load(answer)["data"]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def _follow(self) -> None:
        """Write down whom to ask whenever that changes."""
        written = ""
        while not self._over.is_set():
            text = json.dumps(self._targets())
            if text != written:
                draft = self._folder / "targets.new"
                draft.write_text(text)
                draft.replace(self._folder / "targets.json")
                written = text
            self._over.wait(LOOK_S)

    def _targets(self) -> list[dict[str, Any]]:
        found = []
        for number, worker in enumerate(self._cluster.workers):
            port = worker.ports.get("api") or worker.ports.get("health")
            if port and worker.process is not None and worker.process.poll() is None:
                named = {"instance": f"{worker.roles[0]}-{number}"}
                found.append({"targets": [f"{HOST}:{port}"], "labels": named})
        return found
