"""Draws docs/images/dashboard-*.svg: `python -m tools.docs.draw_dashboard` from the repository's root.

The dashboard is deploy/grafana/sightline.json, its figures are what Prometheus answered to its questions: tests/cluster/watched.json. A
picture for each row, and one of what was done to the cluster and of the alerts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scale.svg import COLOURS, Axis, Frame, document, line, points, rectangle, text
from tools.docs.units import form, ticks

DASHBOARD = Path("deploy/grafana/sightline.json")
ANSWERS = Path("tests/cluster/watched.json")
IMAGES = Path("docs/images")
ACROSS, DOWN, GAP = 40, 34, 4  # a unit of Grafana's grid, and half of what is between two panels
WIDTH = 24 * ACROSS
LEFT, RIGHT, HEAD, TICKS, LEGEND, LETTER = 74, 14, 38, 24, 17, 6.6
LANE, LANE_LEFT = 20, 300
STATES = {"pending": "#fdae6b", "firing": "#d62728"}
Values = list[float | None]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Bar = tuple[float, float, str]
"""From when to when, in seconds, and of what colour."""


def draw(dashboard: Any, seen: Any) -> dict[str, str]:
    """The pictures by name.

    Args:
        dashboard: as Grafana reads it.
        seen: what `tests.cluster.watched` wrote.

    Raises:
        KeyError: the dashboard asks what Prometheus was not asked, or has a unit that nobody draws.
    """
    rows: dict[str, list[Any]] = {}
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            below = rows[panel["title"]] = []
        else:
            below.append(panel)
    pictures = {
        "-".join(re.findall("[a-z]+", title.lower())): row(title, rows[title], seen) for title in rows
    }
    return {"what-happened": day(seen), **pictures}


def row(title: str, panels: Sequence[Any], seen: Any) -> str:
    """A row of the dashboard, its panels in their places."""
    above = min(panel["gridPos"]["y"] for panel in panels)
    below = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    parts = []
    for panel in panels:
        at = panel["gridPos"]
        x, y = at["x"] * ACROSS + GAP, (at["y"] - above) * DOWN + GAP
        box = x, y, x + at["w"] * ACROSS - 2 * GAP, y + at["h"] * DOWN - 2 * GAP
        parts += [rectangle(*box, 'class="grid"'), text(x + 10, y + 19, panel["title"])]
        kind: Callable[..., Iterator[str]] = {"stat": stat, "timeseries": graph}[panel["type"]]
        parts += kind(panel, series_of(panel, seen), box, seen)
    return document(title, WIDTH, (below - above) * DOWN, parts)


def series_of(panel: Any, seen: Any) -> list[tuple[str, Values]]:
    """Values for each step by what the legend calls them; those that never were a number are not there."""
    found = [
        (legend(target["legendFormat"], series["labels"]), values_of(series))
        for target in panel["targets"]
        for series in seen["answers"][target["expr"]]
    ]
    return [(name, values) for name, values in found if any(value is not None for value in values)]


def legend(template: str, labels: Mapping[str, str]) -> str:
    """`{{label}}` is the value of a label."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)


def values_of(series: Any) -> Values:
    """A value for each step."""
    return [None if word == "-" else float(word) for word in series["values"].split()]


def stat(panel: Any, series: Sequence[tuple[str, Values]], box: Box, seen: Any) -> Iterator[str]:
    """What there was last: beside its name where it has one, below each other."""
    left, top, right, bottom = box
    defaults = panel["fieldConfig"]["defaults"]
    parts = defaults.get("mappings", ())
    texts = {value: each["text"] for part in parts for value, each in part["options"].items()}
    alone = len(series) == 1 and panel["options"].get("textMode") != "value_and_name"
    height = (bottom - top - HEAD) / max(len(series), 1)
    for number, (name, values) in enumerate(series):
        last = [value for value in values if value is not None][-1]
        last = round(last, defaults["decimals"]) if "decimals" in defaults else last
        said = texts.get(f"{last:g}") or form(defaults["unit"])(last)
        y = top + HEAD + height * (number + 0.5)
        if alone:
            yield text((left + right) / 2, y, said, "middle", 32)
        else:
            yield text(left + 60, y + 4, said, "end", 24)
            yield text(left + 72, y + 4, name)


def graph(panel: Any, series: Sequence[tuple[str, Values]], box: Box, seen: Any) -> Iterator[str]:
    """Lines over time, and behind them what was done to the cluster."""
    left, top, right, bottom = box
    defaults = panel["fieldConfig"]["defaults"]
    places = [*legend_places([name for name, _ in series], right - left - 20)]
    rows = 1 + max((down for _, down in places), default=0)
    curves = (
        stacked(series)
        if "stacking" in defaults["custom"]
        else [([0.0] * len(each), each) for _, each in series]
    )
    most = max((value for _, values in curves for value in values if value is not None), default=0.0)
    frame = Frame(
        time_axis(seen),
        Axis("", ticks(most, defaults["unit"]), form=form(defaults["unit"])),
        left + LEFT,
        top + HEAD,
        right - RIGHT,
        bottom - TICKS - 6 - LEGEND * rows,
    )
    for event in seen["events"]:
        begin, end = frame.across(event["at_s"] / 60), frame.across((event["at_s"] + event["seconds"]) / 60)
        yield rectangle(
            begin, frame.top, max(end, begin + 1.5), frame.bottom, 'fill="#888" fill-opacity=".2"'
        )
    yield from frame.grid()
    for number, ((name, _), (floor, values), (across, down)) in enumerate(
        zip(series, curves, places, strict=True)
    ):
        colour = COLOURS[number % len(COLOURS)]
        yield from curve(frame, floor, values, colour, seen["step_s"])
        x, y = left + 10 + across, bottom - 8 - LEGEND * (rows - 1 - down)
        yield line("", [(x, y - 4), (x + 12, y - 4)], colour)
        yield text(x + 16, y, name)


def legend_places(names: Sequence[str], width: float) -> Iterator[tuple[float, int]]:
    """Where each name of a legend stands: how far across, and in which line."""
    across, down = 0.0, 0
    for name in names:
        needed = 28 + LETTER * len(name)
        if across and across + needed > width:
            across, down = 0.0, down + 1
        yield across, down
        across += needed


def stacked(series: Sequence[tuple[str, Values]]) -> list[tuple[Values, Values]]:
    """Floor and top of each, one on the other."""
    found: list[tuple[Values, Values]] = []
    floor: Values = [0.0] * max((len(values) for _, values in series), default=0)
    for _, values in series:
        tops = [(below or 0.0) + (value or 0.0) for below, value in zip(floor, values, strict=True)]
        known = [None if value is None else top for top, value in zip(tops, values, strict=True)]
        found.append((floor, known))
        floor = [*tops]
    return found


def curve(frame: Frame, floor: Values, values: Values, colour: str, step_s: float) -> Iterator[str]:
    """A line with its area, broken where there is no value; a value alone is a dot."""
    for steps in together(values):
        upper = [frame.at((step * step_s / 60, values[step] or 0.0)) for step in steps]
        lower = [frame.at((step * step_s / 60, floor[step] or 0.0)) for step in steps]
        if len(steps) == 1:
            yield f'<circle cx="{upper[0][0]:.1f}" cy="{upper[0][1]:.1f}" r="1.5" fill="{colour}"/>'
        else:
            yield f'<polygon fill="{colour}" fill-opacity=".1" points="{points([*upper, *reversed(lower)])}"/>'
            yield line("", upper, colour, 1.3)


def together(values: Values) -> Iterator[list[int]]:
    """Steps that follow each other and have values."""
    found: list[int] = []
    for step, value in enumerate([*values, None]):
        if value is not None:
            found.append(step)
        elif found:
            yield found
            found = []


def time_axis(seen: Any) -> Axis:
    """Minutes."""
    last = math.ceil(seen["seconds"] / 60)
    return Axis("min", range(last + 1), form=lambda tick: "min" if tick == last else f"{tick:g}")


def day(seen: Any) -> str:
    """What was done to the cluster, and which alerts Prometheus had."""
    done: dict[str, list[Bar]] = {}
    for event in seen["events"]:
        bar = event["at_s"], event["at_s"] + event["seconds"], COLOURS[0]
        done.setdefault(event["name"], []).append(bar)
    alerts: dict[str, list[Bar]] = {name: [] for name in seen["rules"]}
    for state, colour in STATES.items():  # who fires hides who waits to
        for series in seen["alerts"]:
            if series["labels"]["alertstate"] == state:
                runs = together(values_of(series))
                bars = [(run[0] * seen["step_s"], (run[-1] + 1) * seen["step_s"], colour) for run in runs]
                alerts[series["labels"]["alertname"]] += bars
    between = HEAD + LANE * len(done) + TICKS
    parts = [
        *lanes("What was done to the cluster", done, 0, seen),
        *lanes("Alerts", alerts, between, seen),
    ]
    for number, (state, colour) in enumerate(STATES.items()):
        x, y = LANE_LEFT + 90 * number, between + 19
        parts += [rectangle(x, y - 10, x + 12, y, f'fill="{colour}"'), text(x + 18, y, state)]
    return document("What happened", WIDTH, between + HEAD + LANE * len(alerts) + TICKS, parts)


def lanes(title: str, bars: Mapping[str, Sequence[Bar]], top: float, seen: Any) -> Iterator[str]:
    """A lane for each name, and in it from when to when."""
    bottom = top + HEAD + LANE * len(bars)
    frame = Frame(time_axis(seen), Axis("", ()), LANE_LEFT, top + HEAD, WIDTH - RIGHT, bottom)
    yield text(10, top + 19, title)
    yield from frame.grid()
    for number, (name, each) in enumerate(bars.items()):
        y = frame.top + LANE * number
        yield text(LANE_LEFT - 8, y + 14, name, "end")
        for begin, end, colour in each:
            left, right = frame.across(begin / 60), frame.across(end / 60)
            yield rectangle(left, y + 3, max(right, left + 3), y + LANE - 3, f'fill="{colour}"')


def main() -> None:
    """Draw, in the place of older pictures."""
    for old in IMAGES.glob("dashboard-*.svg"):
        old.unlink()
    for name, picture in draw(json.loads(DASHBOARD.read_text()), json.loads(ANSWERS.read_text())).items():
        (IMAGES / f"dashboard-{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
