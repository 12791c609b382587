"""`Run`: a finished run in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.app.detectors import DetectFunction
from sightline.app.folders import write_durably
from sightline.app.recount import Recount, count_run, make_folder, render_run
from sightline.app.results import check_formats, writer_of
from sightline.app.run_one import label_counts
from sightline.app.runs import find_runs, load_result
from sightline.app.sources import expand
from sightline.app.track import track as run_track
from sightline.counts import Line, Zone
from sightline.errors import Misconfigured
from sightline.formats.count_bins import parse_bins
from sightline.settings import TrackOptions
from sightline.telemetry import NULL, Hook
from sightline.types import JobResult, Origin, Tracks, TrackTable
from sightline.validation import checked

if TYPE_CHECKING:
    import pandas

__all__ = ["Run", "load", "track"]


@dataclass(frozen=True)
class Run:
    """The finished run of one video.

    Attributes:
        path: its folder.
        result: tables of frames, detections and tracks.
    """

    path: Path
    result: JobResult = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Unique objects by voted label: `{"car": 12, "person": 31}`."""
        return label_counts(self.result)

    def frames(self) -> Iterator[tuple[int, dict[str, Tracks]]]:
        """Presentation time in microseconds and the published tracks of each group, for each sampled frame."""
        for seq, pts_us in enumerate(self.result.frames.pts_us.tolist()):
            yield (
                pts_us,
                {
                    group.name: _at(group.tracks, seq)
                    for group in self.result.groups
                    if group.tracks is not None
                },
            )

    def to_pandas(self) -> pandas.DataFrame:
        """Published tracks with the columns of `tracks.parquet`; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise Misconfigured("to_pandas needs pandas: pip install pandas", code="missing_extra") from error
        return pandas.DataFrame(self._columns())

    def count(
        self,
        lines: Sequence[Line] = (),
        zones: Sequence[Zone] = (),
        bins: str | None = None,
        out: str | Path | None = None,
    ) -> Recount:
        """Count lines and zones on the published tracks, without inference.

        Args:
            lines, zones: drawn on the picture, 0..1 or pixels.
            bins: length of a bin, `15min`; None for one over the whole video.
            out: folder for `events.csv` and `counts.csv`.

        Raises:
            Misconfigured: a line or zone of which no part lies on the picture, a bin that is no length, or a run without tracks.
            Unavailable: `out` cannot be written.
        """
        bin_us = None if bins is None else parse_bins(bins)
        folder = None if out is None else Path(out)
        return count_run(self.path, lines, zones, bin_us=bin_us, out=folder)[0]

    def save(self, out: str | Path, formats: Sequence[str] = ("csv",)) -> list[Path]:
        """Write the result in other formats; the files written.

        Raises:
            Misconfigured: an unknown format, or one whose extra is not installed.
            Unavailable: `out` cannot be written.
        """
        check_formats(formats)
        written = []
        for name in formats:
            if name == "video":
                written += render_run(self.path, Path(out) / "annotated.mp4")
                continue
            for relative, chunks in writer_of(name)(self.result):
                path = Path(out) / relative
                make_folder(path.parent)
                write_durably(path, b"".join(chunks))
                written.append(path)
        return written

    def _columns(self) -> dict[str, Any]:
        frames = self.result.frames
        groups = [(group.name, group.tracks) for group in self.result.groups if group.tracks is not None]
        tables = [table for _, table in groups] or [TrackTable.empty()]
        seq, class_id = np.concatenate([t.seq for t in tables]), np.concatenate([t.class_id for t in tables])
        xyxy, origin = np.concatenate([t.xyxy for t in tables]), np.concatenate([t.origin for t in tables])
        labels = np.array(self.result.labels, object)
        origins = np.array([origin.name.lower() for origin in Origin], object)
        return {
            "video_id": self.result.video_id,
            "frame": frames.frame[seq],
            "seq": seq,
            "pts_us": frames.pts_us[seq],
            "group": np.array([name for name, table in groups for _ in range(len(table))], object),
            "track_id": np.concatenate([table.track_id for table in tables]),
            "class_id": class_id,
            "label": labels[class_id],
            **{name: xyxy[:, place] for place, name in enumerate(("x1", "y1", "x2", "y2"))},
            "confidence": np.concatenate([table.confidence for table in tables]),
            "origin": origins[origin],
        }


def track(
    source: str | Path,
    *,
    detector: DetectFunction | None = None,
    labels: Sequence[str] = (),
    hook: Hook = NULL,
    **options: Any,
) -> Run:
    """Track one source and wait for the result; a run that was finished before is loaded.

    Args:
        source: a video file, a folder of images or a text of detections.
        detector: `fn(frames) -> list[Detections]` instead of a model; frames are uint8 RGB in their own size. Another
            body of that function makes another run; what it calls is not looked into, so choose another `out` when
            that changes.
        labels: of that detector, by class id.
        hook: hears of progress.
        **options: as the flags of `sightline track`: `model`, `classes`, `out`, `conf`, ...

    Raises:
        Misconfigured: a wrong option, or several videos in `source`.
        SightlineError: what went wrong; `KeyboardInterrupt` leaves a run that the same call goes on with.
    """
    settings = checked(
        TrackOptions, {name: _plain(value) for name, value in options.items()}, lambda key: key
    )
    found, _ = expand([source])
    if len(found) > 1:
        names = ", ".join(each.video_id for each in found)
        raise Misconfigured(f"{source} holds {len(found)} videos: {names}; name one of them", code="usage")
    report = run_track([source], settings, hook, function=detector, labels=labels)[0]
    if report.error is not None:
        raise report.error
    assert report.path is not None
    return load(report.path)


def load(path: str | Path) -> Run:
    """A finished run.

    Args:
        path: its folder, or the folder of a command that ran one video.

    Raises:
        NotFound: none is there.
        Misconfigured: there are several.
    """
    found = find_runs(Path(path))
    if len(found) != 1:
        names = ", ".join(folder.name for folder in found)
        raise Misconfigured(f"{path} holds {len(found)} runs: {names}; name one of them", code="usage")
    return Run(found[0], load_result(found[0])[0])


def _at(table: Any, seq: int) -> Tracks:
    first, end = np.searchsorted(table.seq, [seq, seq + 1]).tolist()
    rows = table[first:end]
    return Tracks(rows.xyxy, rows.confidence, rows.class_id, rows.track_id, rows.origin)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
