"""The dashboard and the alerts on a bad day: what Prometheus answered to them, and the pictures that are drawn from it.

`python -m tests.cluster.watched` makes the answers anew, `python -m tools.docs.draw_dashboard` the pictures.
"""

import itertools
import json
import re

import pytest
import yaml
from tools.docs.draw_dashboard import draw, stacked, together
from tools.docs.units import form, ticks

from tests.cluster.watched import ANSWERS, DASHBOARD, asked
from tests.deploy.native import ROOT

IMAGES = ROOT / "docs" / "images"
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"


@pytest.fixture(scope="module")
def dashboard():
    """As Grafana reads it."""
    return json.loads(DASHBOARD.read_text())


@pytest.fixture(scope="module")
def seen():
    """What Prometheus answered."""
    return json.loads(ANSWERS.read_text())


def states(seen, alert):
    return {each["labels"]["alertstate"] for each in seen["alerts"] if each["labels"]["alertname"] == alert}


def test_every_question_was_asked(dashboard, seen):
    """Whoever changes one asks again: no picture shows what no Prometheus said."""
    assert set(seen["answers"]) == set(asked(dashboard))


def test_no_panel_stays_empty_on_a_bad_day(seen):
    """Each has figures, and none of them is infinite, which would flatten all others."""
    for question, answer in seen["answers"].items():
        words = {word for series in answer for word in series["values"].split()}
        assert words - {"-"}, question
        assert not {"inf", "-inf"} & words, question


def test_every_series_of_a_panel_has_a_name_of_its_own(dashboard, seen):
    """A legend that names the wrong label calls all of them the same."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            labels = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            named = [
                [each["labels"].get(label) for label in labels] for each in seen["answers"][target["expr"]]
            ]
            assert all(any(each) for each in named) or not labels, target["expr"]
            assert len({*map(tuple, named)}) == len(named), target["expr"]


def test_every_alert_was_there(seen):
    """In the rules that Prometheus had, as bad as it is now, and after the same time."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    minutes = [int(rule.get("for", "0m").removesuffix("m")) for rule in rules]

    assert seen["rules"] == {
        rule["alert"]: f"{rule['labels']['severity']} after {60 * after} s"
        for rule, after in zip(rules, minutes, strict=True)
    }


def test_who_is_woken_is_woken_for_what_happened(seen):
    """The outage that lasted, and a record that nobody could use; nothing that was killed and came back, and no service for a database."""
    assert "firing" in states(seen, "SightlineAwaits")
    assert "firing" in states(seen, "SightlineDeadLetters")
    for alert in ("SightlineDown", "SightlineWorkerDown", "SightlineUnseen", "SightlineJobsFail"):
        assert "firing" not in states(seen, alert), alert


def test_the_pictures_are_those_of_the_answers(dashboard, seen):
    """And there is no other one."""
    drawn = {f"dashboard-{name}.svg": text for name, text in draw(dashboard, seen).items()}

    assert {path.name: path.read_text() for path in IMAGES.glob("dashboard-*.svg")} == drawn


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        ("s", 0.25, "250 ms"),
        ("s", 0, "0 s"),
        ("s", 150, "150 s"),
        ("bytes", 3 * 2**19, "1.5 MiB"),
        ("short", 1200, "1.2 K"),
        ("cps", 12.34, "12.3 c/s"),
    ],
)
def test_figures_have_their_unit(unit, value, said):
    """As Grafana writes it."""
    assert form(unit)(value) == said


@pytest.mark.parametrize("unit", ["s", "bytes", "short"])
@pytest.mark.parametrize("top", [0, 0.003, 0.7, 1, 9.99, 360, 142_127_104])
def test_an_axis_holds_all_that_is_drawn(unit, top):
    """From 0 to the largest value, in a few equal steps."""
    found = ticks(top, unit)

    assert found[0] == 0
    assert found[-1] >= top
    assert 2 <= len(found) <= 7
    assert {round(b - a, 9) for a, b in itertools.pairwise(found)} == {round(found[1], 9)}


def test_a_line_is_broken_where_nothing_was_said():
    """A gap is no slope."""
    assert list(together([None, 1.0, 2.0, None, 3.0])) == [[1, 2], [4]]


def test_what_was_not_said_is_no_0_in_a_stack():
    """It is not drawn, and the next lies on what is below it."""
    assert stacked([("a", [1.0, 2.0]), ("b", [None, 3.0]), ("c", [4.0, 5.0])]) == [
        ([0.0, 0.0], [1.0, 2.0]),
        ([1.0, 2.0], [None, 5.0]),
        ([1.0, 5.0], [5.0, 10.0]),
    ]
