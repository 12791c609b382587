"""Export: a finished run in another format, from its segments, without inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sightline.errors import InvalidFile
from sightline.runs.load import find_runs, load_result
from sightline.runs.place import Place, in_folder
from sightline.runs.writers import writer_of
from sightline.types import JobResult

__all__ = ["export", "export_place"]

Files = Iterator[tuple[str, Iterable[bytes]]]


def export(path: Path, target: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Files of a format, of a run folder, or of every run in the folder of a command.

    Args:
        path: folder of one video's run, or of a command's; then the files of each video are in a folder of its name.
        target: any format of `track`.

    Returns:
        Relative path and content of each file; runs are loaded one at a time.

    Raises:
        NotFound: no finished run is here.
        Misconfigured: no such format.
        InvalidFile: the run has nothing that the format can hold, such as tracks.
        Corrupt: a segment is missing or damaged.
    """
    writer_of(target)  # a name that is none is refused before anything is loaded
    for folder in find_runs(path):
        result, _ = load_result(in_folder(folder))
        prefix = "" if folder == path else f"{folder.name}/"
        for name, content in _written(result, target, str(folder)):
            yield prefix + name, content


def export_place(place: Place, target: str, clock_start: str | None) -> Files:
    """The same of one run, wherever it lies, on another clock; see `export`.

    Args:
        place: of the run.
        target: any format of `track`.
        clock_start: time of frame 0, ISO 8601; None where nobody said.
    """
    writer_of(target)
    result, _ = load_result(place)
    start = None if clock_start is None else datetime.fromisoformat(clock_start)
    yield from _written(replace(result, clock_start=start), target, place.name)


def _written(result: JobResult, target: str, name: str) -> Files:
    empty = True
    for each in writer_of(target)(result):
        empty = False
        yield each
    if empty:
        raise InvalidFile(name, reason=f"nothing in it that format {target} can hold: {_lacks(target)}")


def _lacks(target: str) -> str:
    return "the groups cars and people" if target == "csv-a" else "tracks; detect made none"
