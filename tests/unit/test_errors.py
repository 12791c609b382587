"""Errors carry settings as data; whoever shows them says them in its own words."""

import io
import json
import pickle
from contextlib import redirect_stderr, redirect_stdout

import pytest

from sightline.cli.console import Console, as_flag
from sightline.errors import InvalidFile, Misconfigured, setting
from sightline.runs.reports import Report

FIXED = (
    f"net takes 640x640 only: leave out {setting('imgsz', '320x320')}, or choose another {setting('model')}"
)


def test_python_reads_arguments():
    """What a function is called with."""
    assert (
        str(Misconfigured(FIXED))
        == "net takes 640x640 only: leave out imgsz=320x320, or choose another model="
    )


def test_the_command_line_reads_flags():
    """In the line that ends a command, and in its JSON."""
    said, machine = io.StringIO(), io.StringIO()
    with redirect_stderr(said), redirect_stdout(machine):
        Console(json=True).error(Misconfigured(FIXED, code="imgsz"))

    sentence = "net takes 640x640 only: leave out --imgsz 320x320, or choose another --model"
    assert said.getvalue() == f"error: {sentence} (imgsz)\n"
    assert json.loads(machine.getvalue())["error"] == {"code": "imgsz", "message": sentence}


def test_others_read_the_names():
    """An interface of its own gets the settings themselves."""
    error = Misconfigured(FIXED)

    assert error.fields == ("imgsz", "model")
    assert error.phrased(lambda name, value: name).endswith("leave out imgsz, or choose another model")


def test_a_message_around_another_keeps_settings_as_data():
    """So does an error that carries its reason."""
    inner = InvalidFile("a.txt", reason=f"frame 0: {setting('first_frame', 0)}", line=3)
    outer = Misconfigured(f"folder: {inner.message}")

    assert outer.fields == ("first_frame",)
    assert outer.phrased(as_flag) == "folder: a.txt, line 3: frame 0: --first-frame 0"


def test_an_error_that_was_pickled_says_the_same():
    """As of a process that indexes a file."""
    error = pickle.loads(pickle.dumps(Misconfigured(FIXED)))

    assert (str(error), error.fields) == (str(Misconfigured(FIXED)), ("imgsz", "model"))


@pytest.mark.parametrize(("words", "said"), [((), "leave out fps="), ((as_flag,), "leave out --fps")])
def test_a_report_says_why_in_the_words_of_its_reader(words, said):
    """The same report goes to Python and to the command line."""
    report = Report("a", "failed", error=Misconfigured(f"leave out {setting('fps')}"))

    assert report.to_json(*words)["error"]["detail"] == said
