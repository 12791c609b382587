"""What of finished runs is doubtful."""

import json

import pytest

from sightline.errors import InvalidFile, NotFound
from sightline.runs.doubtful import Doubtful, doubtful


def rewrite(run_copy, change):
    path = run_copy / "summary.json"
    summary = json.loads(path.read_bytes())
    change(summary)
    path.write_text(json.dumps(summary))


OBJECTS = [
    {
        "id": 4,
        "group": "cars",
        "label": "car",
        "from": 2.0,
        "to": 3.5,
        "why": "boxes",
        "doubts": ["gap", "split"],
    },
    {"id": 2, "group": "cars", "label": "car", "from": 0.0, "to": 3.5, "why": "boxes", "doubts": []},
    {"id": 9, "group": "cars", "from": 1.0, "to": 3.0, "refused": "wanders", "doubts": ["near"]},
    {"id": 5, "group": "people", "refused": "rides", "on": 4, "doubts": []},
]


def test_doubtful_rows_come_in_the_order_of_time(run_copy):
    """Objects and refused tracks alike; what is sure is left out."""
    rewrite(run_copy, lambda summary: summary.update(objects=OBJECTS))

    assert doubtful([run_copy]) == [
        Doubtful("street", "cars", 9, "", 1.0, 3.0, False, "wanders", ("near",)),
        Doubtful("street", "cars", 4, "car", 2.0, 3.5, True, "boxes", ("gap", "split")),
    ]


def test_a_folder_of_runs_is_looked_through(run_copy):
    """As elsewhere, a command's folder stands for all of its runs."""
    rewrite(run_copy, lambda summary: summary.update(objects=OBJECTS))

    assert [row.track_id for row in doubtful([run_copy.parent])] == [9, 4]


def test_a_run_of_an_older_release_says_so(run_copy):
    """Its summary has no objects."""
    rewrite(run_copy, lambda summary: summary.pop("objects"))

    with pytest.raises(NotFound, match="repeat the run with this release"):
        doubtful([run_copy])


def test_a_run_without_a_summary_says_so(run_copy):
    """Perhaps it has no tracker."""
    (run_copy / "summary.json").unlink()

    with pytest.raises(NotFound, match=r"no summary\.json"):
        doubtful([run_copy])


@pytest.mark.parametrize(
    "objects",
    [
        {},
        [1],
        [{"id": 1}],
        [{"id": "x", "group": "cars", "from": 0, "to": 1, "why": "boxes", "doubts": ["gap"]}],
    ],
)
def test_a_damaged_summary_is_an_error(run_copy, objects):
    """It names the file."""
    rewrite(run_copy, lambda summary: summary.update(objects=objects or "none"))

    with pytest.raises(InvalidFile, match=r"summary\.json"):
        doubtful([run_copy])
