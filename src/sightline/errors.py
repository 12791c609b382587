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

import re
from collections.abc import Callable

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
    "ServiceMisconfigured",
    "SightlineError",
    "TooLarge",
    "Unavailable",
    "Words",
    "as_keyword",
    "phrase",
    "setting",
]

Words = Callable[[str, str], str]
"""How a setting is said: gets its name and a value, which is empty where the message gives none."""

SETTING = re.compile("\x02([^\x02\x03]*)\x1f([^\x02\x03]*)\x03")


def setting(name: str, value: object = "") -> str:
    """A setting within the message of an error; whoever shows the message says it in its own words.

    Args:
        name: as in Python, `vid_stride`; of a table `tracker.track_high_thresh`.
        value: one to give, or the one that is wrong; empty for none.
    """
    return f"\x02{name}\x1f{value}\x03"


def as_keyword(name: str, value: str) -> str:
    """A setting as an argument of a Python function."""
    return f"{name}={value}"


def phrase(message: str, words: Words = as_keyword) -> str:
    """The message of an error, with each setting in the words of whoever shows it; other text stays as it is.

    >>> phrase(f"leave out {setting('imgsz')}")
    'leave out imgsz='
    """
    return SETTING.sub(lambda match: words(match[1], match[2]), message)


class SightlineError(Exception):
    """Base of every error that Sightline raises on purpose.

    The message says what happened, where, and what to do. `code` is a short stable word for machines;
    docs/troubleshooting.md has an entry for each. Settings that the message names are data (`setting`): `str` writes them
    as arguments of a Python function, the command line as its flags.

    Attributes:
        message: as it was raised; a message around it takes this one, so that its settings stay data.

    >>> error = Misconfigured(f"another size is fixed: leave out {setting('imgsz')}")
    >>> str(error), error.fields, error.phrased(lambda name, value: f"--{name}")
    ('another size is fixed: leave out imgsz=', ('imgsz',), 'another size is fixed: leave out --imgsz')
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.add_note(f"code: {self.code}")  # a traceback shows it, the message stays as it is

    def __str__(self) -> str:
        return self.phrased()

    @property
    def fields(self) -> tuple[str, ...]:
        """Settings that the message names, in their order; the first is most often the one that is wrong."""
        return tuple(match[1] for match in SETTING.finditer(self.message))

    def phrased(self, words: Words = as_keyword) -> str:
        """The message, with each setting in the words of whoever shows it.

        Args:
            words: of a setting.
        """
        return phrase(self.message, words)


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

    def __init__(self, name: str, *, reason: str, line: int | None = None, code: str | None = None) -> None:
        where = "" if line is None else f", line {line}"
        super().__init__(f"{name}{where}: {reason}", code=code)
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


class ServiceMisconfigured(Misconfigured):
    """A database, a broker or an object store cannot be used as it is set up, or refuses us: a matter of no one job."""


class Fenced(SightlineError):
    """Another owner moved on: drop memory and claim again."""

    code = "fenced"


class Conflict(SightlineError):
    """Somebody else wrote first: read again, then decide again."""

    code = "conflict"


class Corrupt(SightlineError):
    """A promise is broken: stop loudly."""

    code = "corrupt"
