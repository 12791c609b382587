"""Output: results on stdout, everything else on stderr, one object with `--json`."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.cli.console import Console, colored, table
from sightline.errors import Misconfigured


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_results_go_to_stdout_and_notes_to_stderr(capsys):
    """So that a pipe carries results alone."""
    console = Console()

    console.result("12 cars")
    console.note("by the way")
    console.object({"cars": 12})

    assert capsys.readouterr() == ("12 cars\n", "by the way\n")


def test_with_json_stdout_holds_json_alone(capsys):
    """One object for a result, one a line for a list."""
    console = Console(json=True)

    console.result("12 cars")
    console.object({"cars": 12})
    console.rows(("name", "n"), [("a", 1), ("b", 2)])

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"cars": 12},
        {"name": "a", "n": 1},
        {"name": "b", "n": 2},
    ]


def test_quiet_keeps_results_and_errors(capsys):
    """Notes and warnings go."""
    console = Console(quiet=True)

    console.result("12 cars")
    console.note("by the way")
    console.warning("vfr")
    code = console.error(Misconfigured("no such pipeline"))

    assert (code, capsys.readouterr()) == (2, ("12 cars\n", "error: no such pipeline (misconfigured)\n"))


def test_an_error_is_an_object_with_json_too(capsys):
    """Whoever parses stdout finds code, message and exit code there."""
    Console(json=True).error(Misconfigured("no such pipeline", code="usage"))

    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "usage", "message": "no such pipeline"},
        "exit_code": 2,
    }


@pytest.mark.parametrize(
    ("stream", "choice", "env", "wanted"),
    [
        (Terminal(), "auto", {}, True),
        (io.StringIO(), "auto", {}, False),
        (Terminal(), "auto", {"NO_COLOR": "1"}, False),
        (io.StringIO(), "auto", {"FORCE_COLOR": "1"}, True),
        (Terminal(), "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (Terminal(), "auto", {"TERM": "dumb"}, False),
        (Terminal(), "never", {"FORCE_COLOR": "1"}, False),
        (io.StringIO(), "always", {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_follows_the_flag_then_the_variables_then_the_terminal(stream, choice, env, wanted):
    """An empty variable says nothing."""
    assert colored(stream, choice, env) is wanted


def test_colour_is_never_the_only_sign(capsys):
    """The word stands there too."""
    console = Console(color="always")

    console.error(Misconfigured("no such pipeline"))

    assert capsys.readouterr().err == "\x1b[31merror\x1b[0m: no such pipeline (misconfigured)\n"


@given(st.lists(st.tuples(st.text("ab", max_size=5), st.integers(-99, 99)), max_size=5))
def test_columns_of_a_table_line_up(rows):
    """Numbers end in one column, words begin in one."""
    lines = table(("name", "number"), rows).splitlines()

    assert len(lines) == len(rows) + 1
    if rows:
        assert len({len(line) for line in lines}) == 1
