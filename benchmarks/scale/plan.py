"""A plan for so many cameras, or so many videos a day, from benchmarks/scale/constants.json; by arithmetic, no simulation.

    python -m benchmarks.scale.plan [--write] [--model sightline-tiny] [--keep-days 30] [--gpu-ms 2] [--broker-mb 50]
        [--tb-month 23] [--per-1000-puts 0.005] [--vcpu-hour 0.04] [--gpu-hour 2]

Prices, milliseconds of a GPU and megabytes a second of a broker are examples, and were not measured here: put in your own.
`--write` puts the tables into docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.scale.constants import CONSTANTS
from benchmarks.scale.page import put

COMMAND = "benchmarks.scale.plan"
BUSY = 0.7  # of the time, what is bought: above it jobs wait for each other, as the simulation shows
LANES = 8  # of a worker process, the most that it takes by itself
COPIES = 3  # of each record
KEPT_DAYS = 7  # of the log
READERS = {"frames": 1, "detections": 2, "tracks": 2, "totals": 1}
DAY, HOURS = 86_400, 730


@dataclass(frozen=True)
class Demand:
    """What is to be done: jobs a day, each of so many sampled frames, for each of which `stride` are decoded."""

    name: str
    jobs_a_day: int
    frames: int
    stride: int = 1

    @property
    def frames_a_second(self) -> float:
        """On average."""
        return self.jobs_a_day * self.frames / DAY


@dataclass(frozen=True)
class Given:
    """What was not measured: prices, a GPU, a broker, and how long is kept what."""

    model: str = "sightline-tiny"
    keep_days: float = 30
    gpu_ms: float = 2
    broker_mb: float = 50
    tb_month: float = 23
    per_1000_puts: float = 0.005
    vcpu_hour: float = 0.04
    gpu_hour: float = 2


DEMANDS = (
    Demand("10,000 cameras, 25 frames a second, files of 5 minutes", 10_000 * 288, 7500),
    Demand("the same, each fifth frame", 10_000 * 288, 1500, stride=5),
    Demand("a million videos a day, one minute each", 1_000_000, 1500),
)


def least_commits(groups: int) -> float:
    """Commits of a frame where each is as large as it may be: feed 64 frames, detect, track and stats 32, collect 128."""
    return 1 / 64 + 1 / 32 + groups * (2 / 32 + 3 / 128)


def plan(demand: Demand, constants: Mapping[str, Any], given: Given) -> dict[str, float]:
    """What it takes, by the line of the table.

    Args:
        demand: what is to be done.
        constants: as `benchmarks.scale.constants` wrote them.
        given: the rest.
    """
    sizes, cpu, ledger = constants["bytes"], constants["cpu"], constants["postgres"]
    rate, day = demand.frames_a_second, demand.jobs_a_day * demand.frames
    decode_ms = cpu["decode_ms"] * demand.stride
    lane_ms = decode_ms + cpu["detect_ms"][given.model]
    lanes, stages = (math.ceil(rate * ms / 1000 / BUSY) for ms in (lane_ms, cpu["stages_ms"]))
    decoders, gpus = (math.ceil(rate * ms / 1000 / BUSY) for ms in (decode_ms, given.gpu_ms))
    workers = math.ceil(lanes / LANES)
    groups = round(sizes["streams"] / 4)
    log = rate * sizes["log_bytes_a_frame"]
    read = rate * sum(
        sizes["records_a_frame"][kind] * sizes["record_bytes"][kind] * n for kind, n in READERS.items()
    )
    segments = demand.jobs_a_day * math.ceil(demand.frames / sizes["segment_frames"]) * sizes["streams"]
    objects = segments + demand.jobs_a_day * (sizes["other_objects_a_job"] + 1)
    joined = demand.jobs_a_day * (sizes["streams"] + sizes["other_objects_a_job"] + 1)
    results = day * (sizes["segment_bytes_a_frame"] + sizes["other_bytes_a_frame"])
    sources = day * demand.stride * sizes["source_bytes_a_frame"]
    outbox = rate * sizes["outbox_records_a_frame"]
    commits = rate * least_commits(groups)
    return {
        "jobs a second": demand.jobs_a_day / DAY,
        "frames a second": rate,
        "lanes on CPUs, a core each": lanes,
        f"detect workers of {LANES} lanes": workers,
        "partitions of a topic, at least": 2 ** math.ceil(math.log2(max(workers, 8))),
        "or GPUs, and cores that decode beside them": gpus,
        "&nbsp;&nbsp;cores that decode": decoders,
        "cores of all other stages": stages,
        "records into Kafka, MB/s": log / 1e6,
        "records out of Kafka, MB/s": read / 1e6,
        "brokers, for what is written": max(math.ceil(log * COPIES / 1e6 / given.broker_mb), COPIES),
        "disks of Kafka, TB": log * COPIES * DAY * KEPT_DAYS / 1e12,
        "commits of the ledger a second, at least": commits,
        "ledgers, by commits": math.ceil(commits / ledger["commits_8"] / BUSY),
        "outbox records a second": outbox,
        "ledgers, by the outbox": math.ceil(outbox / ledger["outbox_records"] / BUSY),
        "rows of states a day, millions": demand.jobs_a_day * (sizes["states_a_job"] + 1) / 1e6,
        "objects put a day, millions": objects / 1e6,
        "puts a second": objects / DAY,
        "the same, segments of a stream as one, millions": joined / 1e6,
        "results a day, TB": results / 1e12,
        "sources a day, TB": sources / 1e12,
        "sources in, and out to workers, Gbit/s each": sources * 8 / DAY / 1e9,
        "price of CPUs a month": (lanes + stages) * given.vcpu_hour * HOURS,
        "price of GPUs, decoders and stages a month": gpus * given.gpu_hour * HOURS
        + (decoders + stages) * given.vcpu_hour * HOURS,
        "price of puts a month": objects * 30 / 1000 * given.per_1000_puts,
        "&nbsp;&nbsp;segments of a stream as one": joined * 30 / 1000 * given.per_1000_puts,
        "price of results, kept": results * given.keep_days / 1e12 * given.tb_month,
        "price of sources, kept": sources * given.keep_days / 1e12 * given.tb_month,
    }


def measured(constants: Mapping[str, Any]) -> str:
    """The constants as a table: what, how much, by which part of the benchmark."""
    sizes, cpu = constants["bytes"], constants["cpu"]
    rows = [
        ("boxes a frame", f"{sizes['boxes_a_frame']:g}", "bytes"),
        *(
            (f"record of `{kind}`, with its key, bytes", f"{each:g}", "bytes")
            for kind, each in sizes["record_bytes"].items()
        ),
        *(
            (f"records of `{kind}` a frame", f"{each:g}", "bytes")
            for kind, each in sizes["records_a_frame"].items()
        ),
        ("into the log a frame, bytes", f"{sizes['log_bytes_a_frame']:,g}", "bytes"),
        ("records through the outbox a frame", f"{sizes['outbox_records_a_frame']:g}", "bytes"),
        (
            "commits a frame in one process, all stages",
            f"{sum(sizes['commits_a_frame'].values()):.2f}",
            "bytes",
        ),
        ("states of a job", f"{sizes['states_a_job']}, {sizes['state_bytes']:,} bytes", "bytes"),
        ("segments a frame, all streams", f"{sizes['segments_a_frame']:.4f}", "bytes"),
        ("segments a frame, bytes", f"{sizes['segment_bytes_a_frame']:,g}", "bytes"),
        ("the same as one segment a stream", f"{sizes['joined_bytes_a_frame']:,g}", "bytes"),
        (
            "other files of a job",
            f"{sizes['other_objects_a_job']}, {sizes['other_bytes_a_frame']:,g} bytes a frame",
            "bytes",
        ),
        ("source, bytes a frame (720p H.264)", f"{sizes['source_bytes_a_frame']:,g}", "bytes"),
        ("decoding, CPU ms a frame", f"{cpu['decode_ms']:g}", "cpu"),
        *((f"detection by {name}, CPU ms", f"{ms:g}", "cpu") for name, ms in cpu["detect_ms"].items()),
        ("all other stages, CPU ms a frame", f"{cpu['stages_ms']:g}", "cpu"),
        *(
            (f"commits a second, {name}, {n} writers", f"{constants[part][f'commits_{n}']:,}", part)
            for part, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
            for n in (1, 8)
        ),
        (
            "records a second of the outbox, one relay, PostgreSQL",
            f"{constants['postgres']['outbox_records']:,}",
            "postgres",
        ),
    ]
    lines = [
        "| what | figure | `--only` |",
        "|---|---:|---|",
        *(f"| {a} | {b} | `{c}` |" for a, b, c in rows),
    ]
    said = [f"`{part}`: {constants[part]['machine']}." for part in ("bytes", "cpu", "sqlite", "postgres")]
    return "\n".join([*lines, "", *said])


def tables(constants: Mapping[str, Any], given: Given) -> str:
    """What was measured, and the plans beside each other, as Markdown."""
    plans = [plan(demand, constants, given) for demand in DEMANDS]
    rows = ["| | " + " | ".join(demand.name for demand in DEMANDS) + " |", "|---|" + "---:|" * len(plans)]
    rows += [f"| {line} | " + " | ".join(_number(each[line]) for each in plans) + " |" for line in plans[0]]
    return "\n".join([measured(constants), "", "### The plans", "", *rows])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.3g}"


def main() -> None:
    """Print the tables, or put them into the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = Given()
    for name in Given.__dataclass_fields__:
        value = getattr(usual, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(value) if isinstance(value, str) else float,
            default=value,
        )
    parser.add_argument("--write", action="store_true")
    asked = vars(parser.parse_args())
    write = asked.pop("write")
    text = tables(json.loads(CONSTANTS.read_text()), Given(**asked))
    if write:
        put(COMMAND, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
