"""Results: which formats there are, and who writes them."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sightline.errors import Misconfigured, setting
from sightline.formats import csv_a, registry, run_folder
from sightline.machine import cpu_name_and_flags, memory_bytes, usable_cores
from sightline.types import JobResult

__all__ = ["check_formats", "check_groups", "extra_formats", "machine", "writer_of", "writers_of"]

Files = Iterator[tuple[str, Iterable[bytes]]]


def extra_formats() -> Mapping[str, Callable[[JobResult], Files]]:
    """Formats that need a library of their own."""
    from sightline.adapters.files import parquet

    return {"parquet": parquet.files}


def writer_of(name: str) -> Callable[[JobResult], Files]:
    """Who writes a format of a finished job.

    Raises:
        Misconfigured: no such format, or its extra is not installed; names those there are.
    """
    check_formats([name])
    if name == "video":
        raise Misconfigured("video is no format of text: use sightline render", code="usage")
    return extra_formats()[name] if name == "parquet" else registry.writer(name)


def writers_of(formats: Sequence[str]) -> dict[str, registry.Writer]:
    """Who writes each of these formats, in the order in which files are written; a video is drawn, not written."""
    written = [name for name in formats if name not in ("video", "parquet")]
    parquet = ["parquet"] if "parquet" in formats else []
    return {name: writer_of(name) for name in (*written, *parquet)}


def check_formats(names: Sequence[str]) -> None:
    """Refuse unknown formats before any work is done.

    Raises:
        Misconfigured: names those there are.
    """
    known = [*registry.WRITERS, "parquet", "video"]
    for name in names:
        if name not in known:
            raise Misconfigured(f"no format {name!r}; there are {', '.join(known)}", code="usage")
    if "parquet" in names:
        extra_formats()


def check_groups(names: Sequence[str], video_id: str, groups: Iterable[str]) -> None:
    """Refuse a format that was asked for and would have no file.

    Raises:
        Misconfigured: names the groups there are.
    """
    if "csv-a" in names and csv_a.GROUPS.keys().isdisjoint(groups):
        raise Misconfigured(
            f"{video_id}: csv-a holds the groups {' and '.join(csv_a.GROUPS)} alone, here there are "
            f"{', '.join(groups)}: choose another {setting('format')}",
            code="usage",
        )


def machine() -> run_folder.Machine:
    """The machine that this process runs on."""
    return run_folder.Machine(
        cpu=cpu_name_and_flags()[0],
        cores=usable_cores(),
        memory_bytes=memory_bytes(),
        os=platform.platform(),
        python=platform.python_version(),
    )
