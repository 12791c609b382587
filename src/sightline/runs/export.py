"""Export: a finished run in another format, from its segments, without inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sightline.errors import InvalidFile
from sightline.runs.load import find_runs, load_result
from sightline.runs.place import in_folder
from sightline.runs.writers import writer_of

__all__ = ["export"]


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
    writer = writer_of(target)
    for folder in find_runs(path):
        result, _ = load_result(in_folder(folder))
        prefix = "" if folder == path else f"{folder.name}/"
        empty = True
        for name, content in writer(result):
            empty = False
            yield prefix + name, content
        if empty:
            raise InvalidFile(
                str(folder), reason=f"nothing in it that format {target} can hold: {_lacks(target)}"
            )


def _lacks(target: str) -> str:
    return "the groups cars and people" if target == "csv-a" else "tracks; detect made none"
