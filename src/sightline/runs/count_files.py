"""Where counts go: a file for the counts, or a folder for counts and events; never into a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sightline.disk import make_folder, write_whole
from sightline.errors import Misconfigured, setting
from sightline.formats import counts_csv, counts_json, events_csv
from sightline.formats.timeline import Timeline

__all__ = ["check_place", "write_counts"]

# Nobody calls a folder so.
OTHER_FILES = frozenset({".txt", ".tsv", ".parquet", ".xls", ".xlsx", ".ndjson", ".jsonl", ".mp4", ".png"})


def write_counts(out: Path, timelines: Sequence[Timeline], bin_us: int | None) -> tuple[Path, ...]:
    """Write the counts of all timelines; the files written.

    Args:
        out: what ends in `.csv` or `.json` is a file of counts, anything else a folder for `events.csv` and `counts.csv`.
        timelines: what was counted, at least one.
        bin_us: length of a bin; None for one over the whole time.

    Raises:
        Misconfigured: another kind of file, it would lie in a run folder, or a folder has the file's name.
        Unavailable: it cannot be written.
    """
    kind = out.suffix.lower()
    if kind in OTHER_FILES:
        raise Misconfigured(f"{out}: counts are written as .csv or .json, or into a folder", code="usage")
    one_file = kind in (".csv", ".json")
    check_place(out, one_file=one_file)
    make_folder(out.parent if one_file else out)
    written = []
    for name, chunks in _tables(kind, timelines, bin_us):
        path = out if one_file else out / name
        write_whole(path, chunks)
        written.append(path)
    return tuple(written)


def _tables(
    kind: str, timelines: Sequence[Timeline], bin_us: int | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    if kind == ".json":
        yield from counts_json.files(timelines, bin_us)
        return
    if kind != ".csv":
        yield from events_csv.files(timelines)
    yield from counts_csv.files(timelines, bin_us)


def check_place(out: Path, *, one_file: bool) -> None:
    """Refuse places where counts and the like are not written.

    Raises:
        Misconfigured: a run's folder, or a folder where a file was meant.
    """
    if one_file and out.is_dir():
        raise Misconfigured(f"{out}: a folder has this name; choose another {setting('out')}", code="usage")
    whole = out.resolve()
    for folder in (whole, *whole.parents):
        if (folder / "run.json").exists() or (folder / ".partial").is_dir():
            raise Misconfigured(
                f"{out}: {folder.name} is the folder of a run, which stays as it is; choose another {setting('out')}",
                code="usage",
            )
