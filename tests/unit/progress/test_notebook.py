"""Progress in a notebook, and who is shown progress in Python."""

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from sightline.progress.lines import LiveLine
from sightline.progress.notebook import CellLine, shown
from sightline.telemetry import NULL, Finished, Progress, Started


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


class Output:
    """An output of a cell."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def update(self, obj) -> None:
        self.texts.append(repr(obj))


class Hears:
    def __init__(self) -> None:
        self.heard = []

    def emit(self, event) -> None:
        self.heard.append(event)


@pytest.fixture
def notebook(monkeypatch):
    """IPython in a kernel, as far as it is asked; the output that it gives."""
    output = Output()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.display = lambda obj, display_id: output
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return output


def test_a_cell_has_one_line_that_is_replaced():
    """What goes on where it stood is said once and stays; an ended job leaves no line."""
    times = iter((0.0, 10.0, 10.1, 20.0))
    output = Output()
    cell = CellLine(output, lambda: next(times))

    cell.emit(Started("street", 200, done=100))
    cell.emit(Progress("detect", "street", 150, 200))
    cell.emit(Progress("detect", "street", 151, 200))
    cell.emit(Finished("street", "done", 200, 0))

    stays = "street: goes on at frame 100 of 200"
    assert output.texts == [
        stays,
        f"{stays}\nstreet  ━━━━━━━━━━━━━━━━━━──────  150 of 200 · 5.0 fps · 0:10 left",
        stays,
    ]


def test_a_notebook_is_shown_progress_unasked(notebook):
    """Below its cell, not on stderr."""
    with shown(None, None) as hook:
        hook.emit(Started("street", 200, done=100))

    assert isinstance(hook, CellLine)
    assert notebook.texts[-1] == "street: goes on at frame 100 of 200"


def test_a_notebook_may_want_none(notebook):
    """`progress=False`."""
    with shown(None, False) as hook:
        assert hook is NULL

    assert notebook.texts == []


@pytest.mark.parametrize(("stream", "kind"), [(Terminal(), LiveLine), (io.StringIO(), type(NULL))])
def test_a_terminal_is_shown_a_line_and_a_file_none(monkeypatch, stream, kind):
    """Unless it is asked for."""
    monkeypatch.setattr(sys, "stderr", stream)

    with shown(None, None) as unasked, shown(None, True) as asked:
        assert isinstance(unasked, kind)
        assert isinstance(asked, LiveLine)


def test_a_hook_of_ones_own_takes_the_place_of_the_display(notebook):
    """With `progress=True` both hear."""
    own = Hears()
    event = Started("street", 200, done=100)

    with shown(own, None) as alone:
        alone.emit(event)
    with shown(own, True) as both:
        both.emit(event)

    assert own.heard == [event, event]
    assert notebook.texts[0] == "street: goes on at frame 100 of 200"
