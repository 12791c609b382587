"""Choose settings without the sequence on which they are judged: leave-one-out over sequences, videos and networks.

    python -m benchmarks.counting.choose DETECTIONS --grid new_track_thresh=0.5,0.6,0.7 --grid bytetrack.SECOND_LIMIT=0.5,0.7
        [--suites mot17,kitti-car,mot17@5] [--changes as,x0.6] [--results results.json]

Every combination of the grid and the defaults are played once on every sequence and video; results are kept in
`--results` for as long as the tracker's source stays the same, so that the rest is arithmetic. For each sequence (in
all its variants), each video and each network, the setting of least loss on all others is picked and then judged on
what was held out. Loss:

    mean count error of the suites + crossings missed or false by true crossings of the videos
    + 0.1 for each point of HOTA by which a suite is worse than with the defaults by more than 0.15
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks.counting.changes import changed
from benchmarks.counting.play import objects, override, overrides
from benchmarks.counting.scores import Sums, figures
from benchmarks.counting.suites import Task, run
from benchmarks.counting.videos import MODELS, VIDEOS, crossed, scenes
from benchmarks.tracking import suites

import sightline.vision

__all__ = ["Unit", "chosen_without", "loss"]

DEFAULTS = ""
TOLERATED_HOTA, PENALTY = 0.15, 0.1


class Unit(NamedTuple):
    """What is held out or in as one: a suite's sequence, or a video by one network, with a change."""

    kind: str  # the suite, or "videos"
    change: str
    name: str
    model: str


Results = dict[str, dict[Unit, Any]]  # setting -> unit -> Sums, or [crossings off, true]


def grid(texts: list[str]) -> list[str]:
    """All combinations as texts `a=1 b=2`, the defaults first."""
    axes = []
    for text in texts:
        name, found, values = text.partition("=")
        if not found or not values:
            raise SystemExit(f"--grid {text}: give name=value,value")
        axes.append([f"{name}={value}" for value in values.split(",")])
    return [DEFAULTS, *(" ".join(each) for each in itertools.product(*axes) if each)]


@contextmanager
def _set(setting: str) -> Iterator[dict[str, Any]]:
    """Settings of one combination; constants of modules are put back afterwards."""
    texts = setting.split()
    names = [text.partition("=")[0] for text in texts]
    was = {name: _current(name) for name in names if "." in name}
    try:
        yield overrides(texts)
    finally:
        for name, value in was.items():
            override(name, value)


def _current(name: str) -> Any:
    value = override(name, None)
    override(name, value)
    return value


def _play(setting: str, chosen: argparse.Namespace, known: dict[Unit, Any]) -> dict[Unit, Any]:
    """Results of one setting on everything that is not known yet."""
    changes, out = chosen.changes.split(","), dict(known)
    with _set(setting) as settings:
        tasks: list[Task] = [
            (suite, change, sequence.name, settings)
            for suite in filter(None, chosen.suites.split(","))
            for change in changes
            for sequence in suites.load(suite)
            if Unit(suite, change, sequence.name, "") not in known
        ]
        for (suite, change, name, _), sums in run(tasks, chosen.processes) if tasks else ():
            out[Unit(suite, change, name, "")] = sums
        for scene in scenes(chosen.cache, list(VIDEOS), chosen.models.split(",")):
            for change in changes:
                unit = Unit("videos", change, scene.video, scene.model)
                if unit not in known:
                    played = objects(changed(change, scene.frames), scene.fps, **settings)
                    found = crossed(played, scene).values()
                    off = sum(each.true - each.met + each.ours - each.met for each in found)
                    out[unit] = [off, sum(each.true for each in found)]
    return out


def loss(results: dict[Unit, Any], defaults: dict[Unit, Any], keep: Callable[[Unit], bool]) -> float:
    """Loss on the units that `keep` names; see the module."""
    by_suite, off, true = defaultdict(list), 0, 0
    for unit, result in results.items():
        if keep(unit) and unit.kind != "videos":
            by_suite[unit.kind, unit.change].append(unit)
        elif keep(unit):
            off, true = off + result[0], true + result[1]
    errors, penalty = [], 0.0
    for units in by_suite.values():
        now, was = (figures([each[unit] for unit in units]) for each in (results, defaults))
        errors.append(now.count_error)
        penalty += PENALTY * max(0.0, was.hota - now.hota - TOLERATED_HOTA)
    return (float(np.mean(errors)) if errors else 0.0) + off / max(1, true) + penalty


def chosen_without(results: Results, held: Callable[[Unit], bool]) -> str:
    """The setting of least loss on what is not held out; the earlier of equals."""
    return min(results, key=lambda name: loss(results[name], results[DEFAULTS], lambda unit: not held(unit)))


def _folds(units: list[Unit]) -> dict[str, Callable[[Unit], bool]]:
    """What is held out together: a sequence with all its variants and changes, a video, a network."""
    names = sorted({unit.name for unit in units})
    models = sorted({unit.model for unit in units} - {""})
    return {
        **{name: lambda unit, name=name: unit.name == name for name in names},
        **{f"network {model}": lambda unit, model=model: unit.model == model for model in models},
    }


def _report(results: Results) -> None:
    units = list(results[DEFAULTS])
    best = chosen_without(results, lambda unit: False)
    print(f"best on everything: {best or 'defaults'}")
    for name in results:
        print(f"  {loss(results[name], results[DEFAULTS], lambda unit: True):.4f}  {name or 'defaults'}")
    picked, held_out = Counter(), {}
    print(f"{'held out':40s}{'defaults':>10s}{'picked':>10s}{'best':>10s}  picked without it")
    for fold, held in _folds(units).items():
        name = chosen_without(results, held)
        picked[name] += 1
        values = {each: loss(results[each], results[DEFAULTS], held) for each in results}
        print(
            f"{fold:40s}{values[DEFAULTS]:10.3f}{values[name]:10.3f}{min(values.values()):10.3f}  {name or 'defaults'}"
        )
        if not fold.startswith("network "):
            held_out |= {unit: results[name][unit] for unit in units if held(unit)}
    print("picked: " + ", ".join(f"{name or 'defaults'} {n} times" for name, n in picked.most_common()))
    print(f"{'suite, HOTA / count error':40s}{'defaults':>18s}{'held out':>18s}{'best':>18s}")
    for kind, change in sorted({unit[:2] for unit in units}):
        same = [unit for unit in units if unit[:2] == (kind, change)]
        cells = [
            _cell([each[unit] for unit in same]) for each in (results[DEFAULTS], held_out, results[best])
        ]
        print(f"{f'{kind} {change}':40s}" + "".join(f"{cell:>18s}" for cell in cells))


def _cell(found: list[Any]) -> str:
    if isinstance(found[0], Sums):
        whole = figures(found)
        return f"{whole.hota:.2f} / {whole.count_error:.3f}"
    return f"{sum(off for off, _ in found)} of {sum(true for _, true in found)} off"


def _digest() -> str:
    """Of the source that decides results."""
    folders = [Path(next(iter(sightline.vision.__path__))), Path(__file__).parent]
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _kept(path: Path | None) -> Results:
    """Results of an earlier run with the same source."""
    if path is None or not path.exists():
        return {}
    stored = json.loads(path.read_text())
    if stored["digest"] != _digest():
        return {}
    return {
        setting: {Unit(*unit): Sums(**value) if isinstance(value, dict) else value for unit, value in rows}
        for setting, rows in stored["results"].items()
    }


def _keep(path: Path | None, results: Results) -> None:
    if path is not None:
        rows = {
            setting: [
                [unit, value.to_json() if isinstance(value, Sums) else value] for unit, value in found.items()
            ]
            for setting, found in results.items()
        }
        path.write_text(json.dumps({"digest": _digest(), "results": rows}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="folder of the detections")
    parser.add_argument("--grid", action="append", default=[], metavar="NAME=VALUE,VALUE")
    parser.add_argument("--suites", default="mot17,mot20,dance,kitti-car,kitti-pedestrian,mdmt,mot17@5")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--changes", default="as")
    parser.add_argument("--results", type=Path, help="file in which results are kept")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    kept, results = _kept(chosen.results), {}
    for setting in grid(chosen.grid):
        results[setting] = _play(setting, chosen, kept.get(setting, {}))
        _keep(chosen.results, kept | results)
    wanted = set.intersection(*(set(found) for found in results.values()))
    _report({setting: {u: r for u, r in found.items() if u in wanted} for setting, found in results.items()})


if __name__ == "__main__":
    main()
