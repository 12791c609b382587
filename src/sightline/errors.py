"""Errors, by what to do about them.

SightlineError
├── Retryable            wait and repeat: never counts as an attempt on the data
│   ├── Unavailable      a dependency does not answer, or a disk is full
│   └── EngineError      the inference runtime failed
├── Rejected             the input is at fault: repeating changes nothing; a frame becomes `failed(reason)`
│   ├── InvalidVideo     cannot be probed or decoded
│   ├── InvalidFile      a text file of detections, tracks or ground truth cannot be read
│   ├── NotFound         no such key, job or file
│   └── TooLarge         over a documented limit
├── Misconfigured        a setting, a model or a pipeline is wrong: the user changes it and starts again
├── Fenced               another owner moved on: drop memory and claim again
├── Conflict             somebody else wrote first: read again, then decide again
└── Corrupt              a promise is broken: stop loudly
"""

from __future__ import annotations

__all__ = [
    "Conflict",
    "Corrupt",
    "EngineError",
    "Fenced",
    "InvalidFile",
    "InvalidVideo",
    "Misconfigured",
    "NotFound",
    "Rejected",
    "Retryable",
    "SightlineError",
    "TooLarge",
    "Unavailable",
]


class SightlineError(Exception):
    """Base of every error that Sightline raises on purpose.

    The message says what happened, where, and what to do. `code` is a short stable word for machines;
    docs/troubleshooting.md has an entry for each.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.add_note(f"code: {self.code}")  # a traceback shows it, the message stays as it is


class Retryable(SightlineError):
    """Wait and repeat."""

    code = "retryable"


class Unavailable(Retryable):
    """A dependency does not answer, or a disk is full."""

    code = "unavailable"


class EngineError(Retryable):
    """The inference runtime failed."""

    code = "engine"


class Rejected(SightlineError):
    """The input is at fault."""

    code = "rejected"


class InvalidVideo(Rejected):
    """The video cannot be probed or decoded."""

    code = "invalid_video"

    def __init__(
        self, video_id: str, *, reason: str, frame: int | None = None, code: str | None = None
    ) -> None:
        where = "" if frame is None else f" at frame {frame}"
        super().__init__(f"{video_id}{where}: {reason}", code=code)
        self.video_id, self.frame, self.reason = video_id, frame, reason


class InvalidFile(Rejected):
    """A text file cannot be read; the message names file, line and what was expected."""

    code = "invalid_file"

    def __init__(self, name: str, *, reason: str, line: int | None = None) -> None:
        where = "" if line is None else f", line {line}"
        super().__init__(f"{name}{where}: {reason}")
        self.name, self.line, self.reason = name, line, reason


class NotFound(Rejected):
    """No such key, job or file."""

    code = "not_found"


class TooLarge(Rejected):
    """Over a documented limit."""

    code = "too_large"


class Misconfigured(SightlineError):
    """A setting, a model or a pipeline is wrong."""

    code = "misconfigured"


class Fenced(SightlineError):
    """Another owner moved on: drop memory and claim again."""

    code = "fenced"


class Conflict(SightlineError):
    """Somebody else wrote first: read again, then decide again."""

    code = "conflict"


class Corrupt(SightlineError):
    """A promise is broken: stop loudly."""

    code = "corrupt"
