"""The program: its commands, and what happens to whatever ends it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NamedTuple

from cyclopts import App, CycloptsError

from sightline import __version__
from sightline.cli.examples import CODES, epilogue
from sightline.cli.exits import DONE, INTERRUPTED, TERMINATED, UNAVAILABLE, USAGE, disk_full

__all__ = ["COMMANDS", "LATER", "build", "main"]


class Command(NamedTuple):
    """Where a command lives; it is imported when it is asked for."""

    target: str
    help: str


COMMANDS: Mapping[str, Command] = {
    "track": Command("track:track", "Detect, track and count: videos in, run folders out."),
    "detect": Command("detect:detect", "Detect only: the pipeline without its tracker."),
    "count": Command("count:count", "Count lines and zones in a finished run, without inference."),
    "speeds": Command(
        "speeds:speeds", "Headings and speeds of the objects of a finished run, without inference."
    ),
    "render": Command("render:render", "Draw the tracks of a finished run into a video."),
    "frame": Command("frame:frame", "Write one frame as a picture, with a grid to draw lines and zones on."),
    "verify": Command("verify:verify", "Count frames and compare hashes of a finished run or job."),
    "serve": Command("serve:serve", "Take videos by HTTP, process them, keep the results."),
    "worker": Command("worker:worker", "Do a part of the work of a service that machines share."),
    "migrate": Command("cluster:migrate", "Bring the tables of a shared ledger up to this release."),
    "topics": Command("topics:app", "Topics of a shared service: create, check."),
    "lag": Command("cluster:lag", "How far each stage is behind."),
    "dead": Command("dead:app", "Dead letters of a service: list, show, retry."),
    "backup": Command("backup:backup", "Copy the data folder of a service, while it runs."),
    "restore": Command("backup:restore", "Make a data folder of a copy, and verify it."),
    "tokens": Command("tokens:app", "Tokens of a service: add, list, rm."),
    "submit": Command("jobs:submit", "Send videos to a service."),
    "jobs": Command("jobs:jobs", "List the jobs of a service."),
    "show": Command("jobs:show", "Show a job of a service."),
    "watch": Command("jobs:watch", "Follow a job of a service until it has ended."),
    "get": Command("jobs:get", "Bring a result of a job."),
    "cancel": Command("jobs:cancel", "Cancel a job."),
    "retry": Command("jobs:retry", "Run a job again, as a new one."),
    "replay": Command("replay:replay", "Run a job again from a stage on, on what it has stored."),
    "rm": Command("jobs:rm", "Remove jobs."),
    "demo": Command("demo:demo", "Track the bundled clip, offline."),
    "eval": Command("evaluate:evaluate", "Score tracks against ground truth: HOTA, CLEAR, IDF1, counts."),
    "convert": Command("convert:convert", "Convert detections or tracks to another format."),
    "models": Command("models:app", "Models: list, get, verify, add."),
    "datasets": Command("datasets:app", "Datasets: list, get, verify."),
    "config": Command("config:app", "Settings: show, init, schema."),
    "doctor": Command("doctor:doctor", "Check the installation: a line per dependency."),
    "completion": Command("completion:completion", "Print shell completion."),
    "version": Command("version:version", "Print the version."),
}
LATER = frozenset(["report"])
UNFIT_PLACES = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)
HELP = "Video in; detections, tracks and counts out. Never loses or invents a frame."


def build() -> App:
    """The parser of all commands; none of them is imported yet."""
    app = App(
        name="sightline",
        help=HELP,
        help_epilogue=CODES,
        version=f"sightline {__version__}",
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    for place, (name, found) in enumerate(COMMANDS.items()):
        # An app of several commands brings its own epilogue; the parser takes none for it.
        below = {} if found.target.endswith(":app") else {"help_epilogue": epilogue(name)}
        app.command(f"sightline.cli.{found.target}", name=name, help=found.help, sort_key=place, **below)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code. Expected errors never show a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    stopped = _Stop()
    before = signal.signal(signal.SIGTERM, stopped.by_signal)
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _stopped(words, stopped)
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not flush into the closed pipe at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if disk_full(error):
            return _failed(
                words, f"the disk is full: {error}; free space, then repeat the command", UNAVAILABLE
            )
        if isinstance(error, UNFIT_PLACES):
            return _failed(words, f"{error.filename}: {error.strerror}; choose another place", USAGE)
        raise
    except Exception as error:
        if not _by_interrupt(error):
            raise
        return _stopped(words, stopped)
    finally:
        signal.signal(signal.SIGTERM, before)
    return code


class _Stop:
    """SIGTERM ends a run as SIGINT does, with another exit code."""

    terminated = False

    def by_signal(self, number: int, frame: FrameType | None) -> None:
        self.terminated = True
        raise KeyboardInterrupt


def _by_interrupt(error: BaseException) -> bool:
    """Whether an import was interrupted: native modules, and classes that are being made, fail with errors of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return isinstance(error, KeyboardInterrupt)


def _stopped(words: Sequence[str], by: _Stop) -> int:
    """Say what is kept; the exit code."""
    resumable = words[:1] in (["track"], ["detect"], ["demo"]) and {"-", "--out=-"}.isdisjoint(words)
    how = " without --overwrite" if "--overwrite" in words else ""
    hint = f": what was done is kept, the same command{how} goes on from there" if resumable else ""
    sys.stderr.write(f"\nstopped{hint}\n")
    return TERMINATED if by.terminated else INTERRUPTED


def _run(words: list[str]) -> int:
    if words and words[0] in LATER:
        return _failed(words, f"{words[0]} is not supported yet", USAGE)
    if _video_on_stdin(words):
        return _failed(words, "-: a video on stdin is not supported yet; name a file", USAGE)
    try:
        code = build()(words)
    except CycloptsError as error:
        command = words[0] if words and words[0] in COMMANDS else ""
        hint = f"sightline {command} --help".replace("  ", " ")
        return _failed(words, f"{str(error).strip()} ({hint} shows what there is)", USAGE)
    return code if isinstance(code, int) else DONE


def _video_on_stdin(words: Sequence[str]) -> bool:
    """Whether a source is `-`, which the parser would call an unknown option."""
    before = ["", *words]
    return words[:1] in (["track"], ["detect"]) and any(
        word == "-" and earlier not in ("-o", "--out") for earlier, word in zip(before, words, strict=False)
    )


def _failed(words: Sequence[str], message: str, code: int) -> int:
    """Say what went wrong before a command could."""
    kind = "usage" if code == USAGE else "disk_full"
    sys.stderr.write(f"error: {message} ({kind})\n")
    if "--json" in words:
        value = {"error": {"code": kind, "message": message}, "exit_code": code}
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    return code
