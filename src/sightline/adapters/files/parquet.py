"""Parquet tables of a job: a row per box, the columns of `tracks.csv`, unrounded.

Import this module where the format was asked for only: it needs pyarrow, the extra `parquet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sightline.errors import Misconfigured
from sightline.formats import job_rows
from sightline.formats.tables import COLUMNS, ORIGINS
from sightline.types import JobResult

try:
    import pyarrow
    from pyarrow import parquet
except ImportError as error:
    raise Misconfigured(
        'format parquet needs pyarrow: pip install "sightline[parquet]"', code="missing_extra"
    ) from error

__all__ = ["SCHEMA_VERSION", "files", "schema", "table_blocks"]

SCHEMA_VERSION = 1
BLOCK_ROWS = 65_536
TYPES = {
    "video_id": pyarrow.string(),
    "frame": pyarrow.int32(),
    "seq": pyarrow.int32(),
    "pts_us": pyarrow.int64(),
    "group": pyarrow.string(),
    "track_id": pyarrow.int32(),
    "class_id": pyarrow.int16(),
    "label": pyarrow.string(),
    **dict.fromkeys(("x1", "y1", "x2", "y2", "confidence"), pyarrow.float32()),
    "origin": pyarrow.string(),
}
NULLABLE = frozenset({"track_id", "origin"})


def schema(result: JobResult) -> Any:
    """Columns and metadata: `sightline.schema` is the version of the columns, `sightline.run` the job's id."""
    columns = [pyarrow.field(name, TYPES[name], nullable=name in NULLABLE) for name in COLUMNS]
    return pyarrow.schema(
        columns, metadata={"sightline.schema": str(SCHEMA_VERSION), "sightline.run": result.job_id}
    )


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`tracks.parquet`: the published tracks; `detections.parquet` for a job without a tracker."""
    tracked = any(group.tracks is not None for group in result.groups)
    yield ("tracks.parquet" if tracked else "detections.parquet"), _written(result, tracked=tracked)


def table_blocks(result: JobResult, *, tracked: bool) -> Iterator[Any]:
    """Record batches of whole frames, at most 65,536 rows or one frame: tracks, or detections with empty `track_id` and `origin`."""
    columns = schema(result)
    for block in (job_rows.tracks if tracked else job_rows.detections)(result, BLOCK_ROWS):
        table = block.table
        rows = len(table)
        values: dict[str, Any] = {
            "video_id": [result.video_id] * rows,
            "frame": result.frames.frame[table.seq],
            "seq": table.seq,
            "pts_us": result.frames.pts_us[table.seq],
            "group": [result.groups[place].name for place in block.place.tolist()],
            "track_id": table.track_id if tracked else [None] * rows,
            "class_id": table.class_id,
            "label": [result.labels[number] for number in table.class_id.tolist()],
            **dict(zip(("x1", "y1", "x2", "y2"), table.xyxy.T, strict=True)),
            "confidence": table.confidence,
            "origin": [ORIGINS[origin] for origin in table.origin.tolist()] if tracked else [None] * rows,
        }
        arrays = [pyarrow.array(values[name]).cast(TYPES[name]) for name in COLUMNS]
        yield pyarrow.record_batch(arrays, schema=columns)


def _written(result: JobResult, *, tracked: bool) -> Iterator[bytes]:
    """The file in pieces: a row group at a time, so that memory does not grow with the job."""
    sink = _Pieces()
    with parquet.ParquetWriter(
        pyarrow.PythonFile(sink, mode="w"), schema(result), compression="zstd"
    ) as writer:
        for batch in table_blocks(result, tracked=tracked):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


class _Pieces:
    """A file that is read while it is written."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The pieces stay until they are taken."""
