"""A bad day of a cluster as its operator sees it: chaos, then a long outage, under the eyes of Prometheus.

    python -m tests.cluster.watched

Prometheus has the rules of deploy/prometheus and is asked afterwards for every expression of the dashboard, in Grafana's way, and for its
alerts. What it answers is written to tests/cluster/watched.json, from which tools/docs/draw_dashboard.py draws. Ten minutes or more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.log import KafkaLog
from sightline.ports import Outgoing
from tests.cluster.chaos import Event, Watching, run
from tests.cluster.cluster import Cluster, sent
from tests.cluster.demo import say
from tests.cluster.judging import Kind, clip, ended, judged, references
from tests.cluster.scraped import SCRAPE_S, Scraping, Series

__all__ = ["ANSWERS", "DASHBOARD", "asked", "main"]

ANSWERS = Path(__file__).with_suffix(".json")
DASHBOARD = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "sightline.json"
RATE_S = 4 * SCRAPE_S
"""What Grafana puts for `$__rate_interval`: a step and a scrape, but four scrapes at the least."""
PIPELINE = "traffic"
KIND: Kind = (160, PIPELINE)
TOPIC = "detections-cars"
SERVER = "postgres"
AWAY_S = 210.0
"""Longer than workers wait for an answer, 45 s, and then an alert, 120 s."""
CALM_S = 40.0


def asked(dashboard: Any) -> dict[str, str]:
    """Every expression of a dashboard, as it stands there and as Prometheus is asked."""
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return {text: text.replace("$__rate_interval", f"{RATE_S}s") for text in found}


def watched_by(into: Path) -> Watching:
    """Who watches a chaos, and writes down what there was to be seen: a calm job, what nobody can use, chaos, a long outage, a calm end."""

    @contextmanager
    def watching(cluster: Cluster) -> Iterator[Callable[[Event], None]]:
        api, video, events = cluster.workers[0], clip(cluster.folder, KIND[0]), list[Event]()

        def hear(event: Event) -> None:
            events.append(event)
            say(str(event))

        expected = references(cluster.folder, {KIND})[KIND]
        with Scraping(cluster) as scraping:
            since = time.time()
            wrong = judged(api, sent(api, video, pipeline=PIPELINE), expected)
            hear(Event("a record that nobody can read", unreadable(cluster), time.time(), 0.0))
            hear(Event("a damaged video is sent", damaged(video).name, time.time(), 0.0))
            ended(api, sent(api, damaged(video), pipeline=PIPELINE))
            yield hear
            job_id, at = sent(api, video, pipeline=PIPELINE), time.time()
            with cluster.without(SERVER, still=True):
                time.sleep(AWAY_S)
            hear(Event("a server stands still", SERVER, at, time.time() - at))
            wrong += judged(api, job_id, expected)
            time.sleep(CALM_S)
            into.write_text(json.dumps(seen(scraping, since, time.time(), events), indent=1) + "\n")
            wrong += [rule["name"] for rule in scraping.rules() if rule["health"] != "ok"]
        assert not wrong, wrong

    return watching


def unreadable(cluster: Cluster) -> str:
    """A record that no stage can use; where it lies."""
    with closing(KafkaLog(Connection(cluster.servers["kafka"]["bootstrap"], client="watched"))) as log:
        log.append([Outgoing(TOPIC, 0, "nobody", b"{")])
    return TOPIC


def damaged(video: Path) -> Path:
    """The video without what lay in its middle."""
    path, content = video.with_stem(f"{video.stem}-damaged"), bytearray(video.read_bytes())
    middle = slice(45 * len(content) // 100, 55 * len(content) // 100)
    content[middle] = bytes(middle.stop - middle.start)
    path.write_bytes(content)
    return path


def seen(scraping: Scraping, since: float, until: float, events: list[Event]) -> dict[str, Any]:
    """What happened, and what Prometheus says of it."""
    questions = asked(json.loads(DASHBOARD.read_text()))
    return {
        "prometheus": scraping.version(),
        "step_s": SCRAPE_S,
        "rate_s": RATE_S,
        "seconds": round(until - since),
        "events": [
            {
                "at_s": round(each.at - since),
                "seconds": round(each.seconds),
                "name": each.name,
                "what": each.what,
            }
            for each in events
        ],
        "answers": {text: written(scraping.over(query, since, until)) for text, query in questions.items()},
        "rules": {
            rule["name"]: f"{rule['labels']['severity']} after {rule['duration']:g} s"
            for rule in scraping.rules()
        },
        "alerts": written(scraping.over("ALERTS", since, until)),
    }


def written(answer: list[Series]) -> list[dict[str, Any]]:
    """An answer with four digits of each value, and `-` where there is none."""
    return [
        {"labels": labels, "values": " ".join("-" if value is None else f"{value:.4g}" for value in values)}
        for labels, values in answer
    ]


def main() -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=28)
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--into", type=Path, default=ANSWERS)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="watched-") as folder:
        wrong = run(
            Path(folder),
            events=asked.events,
            jobs=asked.jobs,
            seed=asked.seed,
            watching=watched_by(asked.into),
        )
    for text in wrong:
        say(f"WRONG {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
