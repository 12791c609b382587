"""SIGKILL for the real `track`, at moments that a number decides, again and again until it ends.

    python -m tests.crash.killing [--kills 60] [--seed 0] [--shared FOLDER]     real videos, random moments; and of a camera that moves
    python -m tests.crash.killing --file-calls [--every 1]                      the bundled clip, before each file call

Every file but `timing.json` and `log.ndjson` is compared with an undisturbed run. Each start has another number of
threads: they may change nothing either.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from random import Random

from tests.crash.jobs import files_below
from tests.crash.schedules import difference
from tests.media import swung

CLOCKS = frozenset({"timing.json", "log.ndjson"})
ENTRY = (sys.executable, "-m", "tests.crash.entry")
ROOT = Path(__file__).resolve().parents[2]
STARTS = 40


@dataclass(frozen=True)
class Case:
    """A video to be tracked, and with what."""

    name: str
    source: str
    arguments: tuple[str, ...] = ()


@dataclass
class Killed:
    """What became of a run that was killed.

    Attributes:
        kills: that came in time, each as `frames done of all`.
        starts: processes that it took.
        recovered_s: for each start after a kill, seconds until it said how far it is.
        finding: what is wrong, empty if nothing.
    """

    kills: list[str] = field(default_factory=list)
    starts: int = 0
    recovered_s: list[float] = field(default_factory=list)
    finding: str = ""


def clip(end: str = "3s") -> Case:
    """The bundled clip, cut short."""
    source = os.fspath(resources.files("sightline") / "demo" / "street.mp4")
    return Case("street", source, ("--end", end))


def moving(folder: Path, frames: int = 75) -> Case:
    """The same as a camera sees it that moves: a file in that folder."""
    street = resources.files("sightline") / "demo" / "street.mp4"
    return Case("swung", os.fspath(swung(folder / "swung.mp4", Path(os.fspath(street)), frames)))


def real_cases(shared: Path) -> list[Case]:
    """Real videos: uneven times, one key frame for all, damaged in the middle and with a video to render."""
    model = ("--model", os.fspath(shared / "data" / "models" / "yolox_nano_416.onnx"))
    videos = shared / "data" / "real" / "video"
    return [
        Case("car-detection-vfr", os.fspath(videos / "car-detection-vfr.mp4"), model),
        Case("one-by-one-single-keyframe", os.fspath(videos / "one-by-one-single-keyframe.mp4"), model),
        Case("corrupted-midstream", os.fspath(videos / "corrupted-midstream.mp4"), (*model, "--save-video")),
    ]


def start(case: Case, out: Path, *more: str) -> subprocess.Popen[str]:
    """Start the process."""
    return subprocess.Popen(
        [*ENTRY, case.source, os.fspath(out), *case.arguments, *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def undisturbed(case: Case, out: Path) -> dict[str, bytes]:
    """Files of a run that nobody kills."""
    process = start(case, out)
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{case.name}: {said}")
    return result(out)


def result(out: Path) -> dict[str, bytes]:
    """Files of the one run below a folder, but those that tell the time."""
    return {name: blob for name, blob in files_below(out).items() if name.split("/")[-1] not in CLOCKS}


def kill_often(case: Case, expected: dict[str, bytes], out: Path, random: Random, kills: int) -> Killed:
    """Kill it so often, at moments spread over the run, then let it end."""
    seen = Killed()
    share = sorted(random.random() for _ in range(kills))
    while seen.starts < STARTS:
        seen.starts += 1
        workers = str(random.choice([1, 2, 4]))
        wanted = share[len(seen.kills)] if len(seen.kills) < kills else None
        with start(case, out, "--workers", workers) as process:
            code = _watch(process, seen, wanted, random.random() * 0.3)
            said = process.communicate()[1]
        if code == 0:
            break
        if code != -signal.SIGKILL:
            seen.finding = f"exit code {code}: {said[-300:]}"
            return seen
    seen.finding = difference(expected, result(out))
    return seen


def _watch(process: subprocess.Popen[str], seen: Killed, wanted: float | None, delay_s: float) -> int:
    """Kill it soon after it is as far as `wanted`; its exit code."""
    began = time.perf_counter()
    assert process.stdout is not None
    for line in process.stdout:
        words = line.split()
        if len(words) != 2:
            continue
        done, total = int(words[0]), int(words[1])
        if seen.starts > len(seen.recovered_s) + 1:
            seen.recovered_s.append(time.perf_counter() - began)
        if wanted is not None and done >= int(wanted * total):
            time.sleep(delay_s)
            process.kill()
            if process.wait() == -signal.SIGKILL:
                seen.kills.append(f"{done} of {total}")
            break
    return process.wait()


def die_at(case: Case, expected: dict[str, bytes], out: Path, n: int, *again: str) -> str:
    """Kill it before its n-th file call, then let it end, with arguments of its own: what is wrong, if anything."""
    first = start(case, out, "--die-at", str(n))
    said = first.communicate()[1]
    if first.returncode != -signal.SIGKILL:
        return f"call {n}: exit code {first.returncode}: {said[-300:]}"
    second = start(case, out, *again)
    said = second.communicate()[1]
    if second.returncode:
        return f"call {n}: started again: exit code {second.returncode}: {said[-300:]}"
    return difference(expected, result(out))


def file_calls(case: Case, out: Path) -> list[str]:
    """What a run does to files, in order."""
    said = start(case, out, "--calls").communicate()[0]
    return [line for line in said.splitlines() if line.startswith(("os.", "open"))]


def kill_until(
    cases: Sequence[Case], expected: Mapping[str, dict[str, bytes]], home: Path, random: Random, kills: int
) -> Iterator[tuple[Case, Killed]]:
    """Runs of each case in turn, each killed several times, until so many kills came in time."""
    left = kills
    for number in range(3 * kills):
        case = cases[number % len(cases)]
        seen = kill_often(
            case, expected[case.name], home / f"{number}", random, min(left, random.randint(3, 8))
        )
        left -= len(seen.kills)
        yield case, seen
        if left <= 0 or seen.finding:
            return


def kill_real(cases: Sequence[Case], kills: int, seed: int) -> bool:
    """Kill runs of the cases and print what became of them; whether all was well."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cases = [*cases, moving(home, 300)]
        expected = {case.name: undisturbed(case, home / f"{case.name}-plain") for case in cases}
        for case, seen in kill_until(cases, expected, home, Random(seed), kills):
            good = good and not seen.finding
            times = ", ".join(f"{s:.1f}" for s in seen.recovered_s)
            print(
                f"{case.name}: killed at {', '.join(seen.kills)}; back after {times} s; "
                f"{len(expected[case.name])} files: {seen.finding or 'the same bytes'}",
                flush=True,
            )
    return good


def kill_at_file_calls(case: Case, every: int) -> bool:
    """Kill before each file call, or every n-th; whether all was well."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        expected = undisturbed(case, Path(folder, "plain"))
        calls = file_calls(case, Path(folder, "calls"))
        for n in range(1, len(calls) + 1, every):
            found = die_at(case, expected, Path(folder, str(n)), n)
            good = good and not found
            if found:
                print(f"call {n}, {calls[n - 1]}: {found}", flush=True)
        print(
            f"{len(range(0, len(calls), every))} of {len(calls)} file calls, {len(expected)} files",
            flush=True,
        )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--file-calls", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    began = time.perf_counter()
    if args.file_calls:
        good = kill_at_file_calls(clip("1s"), args.every)
    else:
        print(f"seed {args.seed}", flush=True)
        shared = Path(os.environ.get("SIGHTLINE_SHARED", args.shared))
        good = kill_real(real_cases(shared), args.kills, args.seed)
    print(f"{time.perf_counter() - began:.0f} s, {'good' if good else 'NOT GOOD'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
