"""Exit codes: what a script can tell from the number alone."""

import pytest

from sightline import errors
from sightline.cli.exits import BY_CLASS, BY_CODE, exit_code
from sightline.cli.run import exit_of
from sightline.errors import (
    Conflict,
    Corrupt,
    EngineError,
    Fenced,
    InvalidFile,
    InvalidVideo,
    Misconfigured,
    NotFound,
    Rejected,
    Retryable,
    ServiceMisconfigured,
    SightlineError,
    TooLarge,
    Unavailable,
)
from sightline.runs.reports import Report

EXAMPLES = [
    (SightlineError("?"), 1),
    (Retryable("?"), 1),
    (EngineError("the runtime failed"), 1),
    (Fenced("another owner"), 1),
    (Conflict("another revision"), 1),
    (Corrupt("a segment is damaged"), 1),
    (Misconfigured("no such pipeline"), 2),
    (Misconfigured("another run is in this folder", code="other_run"), 2),
    (Misconfigured("the model has no label of group cars", code="no_label"), 2),
    (ServiceMisconfigured("the keys are not accepted"), 2),
    (Unavailable("the folder cannot be written", code="unwritable"), 2),
    (Rejected("?"), 3),
    (InvalidVideo("a.mp4", reason="empty", code="empty"), 3),
    (InvalidVideo("a.mp4", reason="audio only", code="no_video"), 3),
    (InvalidVideo("a.mp4", reason="nothing decodes", code="no_frame"), 3),
    (InvalidFile("a.txt", reason="three fields", line=1), 3),
    (NotFound("a.mp4: no such file"), 3),
    (TooLarge("over 8192 px"), 3),
    (Unavailable("no answer"), 5),
    (Unavailable("the disk is full", code="disk_full"), 5),
]


@pytest.mark.parametrize(("error", "code"), EXAMPLES, ids=lambda value: getattr(value, "code", value))
def test_every_error_has_its_code(error, code):
    """The table of the reference, line by line."""
    assert exit_code(error) == code


def test_no_class_of_error_is_without_an_example():
    """A new class must be placed."""
    classes = {kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)}

    assert {type(error) for error, _ in EXAMPLES} == classes


def test_codes_are_within_the_table():
    """0 to 5; signals have their own."""
    assert set(BY_CLASS.values()) | set(BY_CODE.values()) <= {1, 2, 3, 5}


def done(failed_frames=0):
    return Report("a", "done", frames=10, failed_frames=failed_frames)


def failed(error):
    return Report("b", "failed", error=error)


UNREADABLE = failed(InvalidVideo("b", reason="empty"))


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ([done()], 0),
        ([done(), done()], 0),
        ([Report("a", "finished", frames=10)], 0),
        ([done(failed_frames=1)], 4),
        ([done(), done(failed_frames=1)], 4),
        ([done(), UNREADABLE], 4),
        ([UNREADABLE], 3),
        ([UNREADABLE, UNREADABLE], 3),
        ([done(), failed(Unavailable("the disk is full"))], 5),
        ([UNREADABLE, failed(Corrupt("damaged"))], 1),
        ([Report("a", "failed")], 1),
    ],
)
def test_several_sources_have_one_code(reports, code):
    """4 where something was done and something was not; 3 where nothing could be read; what can go on says 5."""
    assert exit_of(reports) == code
