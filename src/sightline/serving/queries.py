"""What the worker answers about jobs: each answer is a head and a stream of bytes, and changes nothing.

A head says `type` of the content, its length where it is known, and what else a client should hear of it.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, Literal

import msgspec

from sightline.counts import JobCounts, Line, Zone
from sightline.errors import Misconfigured, NotFound, TooLarge, Unavailable
from sightline.formats import (
    counts_csv,
    counts_json,
    events_csv,
    frames_bin,
    movements_csv,
    movements_xlsx,
    speeds_csv,
    speeds_json,
)
from sightline.formats.count_bins import parse_bins
from sightline.formats.evidence_json import audited, audited_bins, evidence, shape_digest
from sightline.formats.geometry_json import read_lines, read_zones
from sightline.formats.movement_table import plain, table_of
from sightline.formats.plane_json import read_plane
from sightline.formats.speed_table import Measured
from sightline.formats.timeline import Timeline, alone
from sightline.jobs import requests
from sightline.jobs.audits import geometry_of, verdicts_of
from sightline.jobs.derived import sampled_of
from sightline.jobs.edits import edited
from sightline.jobs.recipe import Recipe, known_of
from sightline.jobs.rows import is_there
from sightline.ports import Job, Jobs, Notes
from sightline.rendering.stored import Drawn, clip, frame_jpeg
from sightline.runs.export import export_place
from sightline.runs.filtered import EVERYTHING, Filter, filtered, of_counted
from sightline.runs.held import Held, HeldRuns
from sightline.runs.occupancy import Occupancy, occupancy
from sightline.runs.overview import overview
from sightline.runs.place import Place, of_job
from sightline.runs.verify import verify_job
from sightline.runs.window import records
from sightline.sources.stored import Places, index_of
from sightline.vision.movements import movements

__all__ = ["Queries"]

CHUNK = 2**18
MOST_ROWS = 200_000
QUEUE = 3  # results and clips that are made or wait for it: other questions have threads left
BINARY = "application/octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON, CSV, NDJSON = "application/json", "text/csv; charset=utf-8", "application/x-ndjson"
Answer = tuple[dict[str, Any], Iterator[bytes]]
Table = Literal["json", "counts", "events"]
Form = Literal["json", "csv", "xlsx"]


class Queries:
    """See the module; called by several threads.

    Args:
        jobs, notes: ports.
        places: of sources and results.
        scratch: folder for what is made before it is sent.
        most_rows: of counts, bins times series.
    """

    def __init__(
        self, jobs: Jobs, notes: Notes, places: Places, scratch: Path, most_rows: int = MOST_ROWS
    ) -> None:
        self._jobs, self._notes, self._places, self._scratch = jobs, notes, places, scratch
        self._objects, self._most_rows = places.objects, most_rows
        self._runs = HeldRuns()
        self._making = threading.Lock()  # a whole result takes memory, a clip all cores: one at a time
        self._queue = threading.Semaphore(QUEUE)

    def calls(self) -> Mapping[str, Callable[..., Answer]]:
        """By name, for a server."""
        return {
            "index": self.index,
            "verify": self.verify,
            "records": self.records,
            "export": self.export,
            "count": self.count,
            "movements": self.movements,
            "speeds": self.speeds,
            "overview": self.overview,
            "audit": self.audit,
            "frame": self.frame,
            "clip": self.clip,
        }

    def tidy(self) -> None:
        """Let go of the runs of jobs that were removed."""
        self._runs.drop({job_id for job_id in self._runs.jobs() if not is_there(self._jobs, job_id)})

    # --- the source

    def index(self, job_id: str) -> Answer:
        """Every frame of the source; see `formats.frames_bin`. There as soon as the job was begun, and never another."""
        job = self._jobs.get(job_id)
        index = index_of(self._objects, requests.decode(job.request).source)
        head = {"type": BINARY, "bytes": frames_bin.size_of(index)}
        return head, frames_bin.encode(index, sampled_of(known_of(job), index))

    # --- what was found

    def records(
        self,
        job_id: str,
        kind: Literal["tracks", "detections"],
        start_us: int,
        end_us: int | None,
        groups: list[str],
    ) -> Answer:
        """Tracks or detections of a span of time; see `runs.window.records`."""
        _, place, recipe = self._ready(job_id)
        return {"type": NDJSON}, records(place, recipe, kind, start_us, end_us, groups)

    def export(self, job_id: str, target: str, frame: int | None = None) -> Answer:
        """A format that was not written, or one of several files as a ZIP; on the clock that people say now.

        Args:
            job_id: whose.
            target: name of the format.
            frame: see `runs.export.export`.

        Raises:
            Misconfigured: no such format, its extra is not installed, or it has no boxes seen from that frame.
            InvalidFile: the run has nothing that it can hold.
        """
        job, place, _ = self._ready(job_id)
        with self._turn():
            made = TemporaryFile(dir=self._scratch)  # noqa: SIM115 - sent after this
            try:
                files = export_place(place, target, job.clock_start, frame)
                kind, path = _pack(made, files, target)
            except BaseException:
                made.close()
                raise
        return {"type": kind, "bytes": made.tell(), "path": path}, _chunks(made)

    def verify(self, job_id: str) -> Answer:
        """Whether the result is whole; see `runs.verify`."""
        job = self._jobs.get(job_id)
        with self._turn():
            found = verify_job(self._objects, job)
        said = {"frames": found.frames, "files": found.files, "problems": found.problems}
        return _json({"job_id": job_id} | said)

    # --- counts

    def count(
        self,
        job_id: str,
        geometry: str | None,
        bins: str | None,
        which: dict[str, Any],
        table: Table,
        names: list[str] | None = None,
        with_evidence: bool = True,
    ) -> Answer:
        """Count the lines and zones of a text, or those of the job.

        Args:
            job_id: whose.
            geometry: see `formats.geometry_json`; None for what was drawn for the job.
            bins: length of a bin; None for one over the whole video.
            which: fields of a `Filter`.
            table: JSON with the evidence, or one of the CSV tables.
            names: of the lines and zones that are meant; None for all.
            with_evidence: whether JSON lists every event; while a line is dragged nobody reads them.

        Raises:
            Misconfigured: a line beside the picture, or a filter that nothing can pass.
            InvalidFile: the text holds something else.
            TooLarge: more rows than are allowed.
        """
        job, held = self._held(job_id)
        lines, zones = self._shapes(job_id, geometry, names)
        bin_us = None if bins is None else parse_bins(bins)
        counts = _left(held, held.run.count(lines, zones), _filter(which))
        timeline = _timeline(held, counts, job)
        labels = sum(len(group.class_ids) for group in held.run.video.groups)
        series = (1 + 2 * (len(lines) + len(zones))) * labels
        _check_rows(timeline, bin_us, series, self._most_rows)
        if table != "json":
            made = counts_csv.files([timeline], bin_us) if table == "counts" else events_csv.files([timeline])
            ((path, chunks),) = made
            return {"type": CSV, "path": path}, iter(chunks)
        whole = {"unplaced": []} | counts_json.plain(timeline, bin_us)
        whole |= {
            "bins": bins,
            "filter": which,
            "occupancy": [asdict(zone) for zone in _occupancy(held, counts)],
            "evidence": evidence(timeline, held.run.size) if with_evidence else [],
        }
        return _json(whole)

    def movements(
        self,
        job_id: str,
        geometry: str | None,
        bins: str,
        which: dict[str, Any],
        heavy: list[str],
        form: Form,
        names: list[str] | None = None,
    ) -> Answer:
        """The turning-movement table at the lines of a text, or at those of the job; see `formats.movement_table`.

        Args:
            job_id, geometry, which, names: see `count`.
            bins: length of a bin.
            heavy: labels of heavy vehicles.
            form: of the answer.

        Raises:
            Misconfigured, InvalidFile, TooLarge: see `count`.
        """
        job, held = self._held(job_id)
        lines, _ = self._shapes(job_id, geometry, names)
        counts = _left(held, held.run.count(lines), _filter(which))
        timeline, bin_us = _timeline(held, counts, job), parse_bins(bins)
        found = movements(counts.events, lines, held.run.size, held.run.ground)
        ways = {(each.entered, each.left) for each in found.found}
        _check_rows(timeline, bin_us, len(ways), self._most_rows)
        table = table_of(timeline, [found], bin_us, heavy)
        if form == "csv":
            ((path, chunks),) = movements_csv.files([(timeline, table)])
            return {"type": CSV, "path": path}, iter(chunks)
        if form == "xlsx":
            blob = movements_xlsx.encode(timeline, table, lines, which)
            return {"type": XLSX, "path": "movements.xlsx", "bytes": len(blob)}, iter((blob,))
        return _json({"bins": bins, "filter": which} | plain(timeline, table))

    def speeds(
        self,
        job_id: str,
        geometry: str | None,
        plane: str | None,
        which: dict[str, Any],
        frame: int | None,
        objects: bool,
        form: Literal["json", "csv"],
    ) -> Answer:
        """Headings and speeds; see `formats.speed_table`.

        Args:
            job_id, geometry, which: see `count`.
            plane: text of a file that tells metres, see `formats.plane_json`; None: headings only.
            frame: number of the frame on whose picture headings are told; None: the first sampled one.
            objects: whether JSON lists every object and crossing.
            form: of the answer.

        Raises:
            Misconfigured: see `count`; or a frame that was not sampled.
            InvalidFile: a text holds something else.
            TooLarge: more rows than are allowed.
        """
        job, held = self._held(job_id)
        lines, _ = self._shapes(job_id, geometry, None)
        found = held.run.speeds(None if plane is None else read_plane(plane, "body"), lines, frame)
        counted = _left(held, held.run.count(lines), _filter(which))
        own = _timeline(held, counted, job)
        measured = Measured(own.jobs[0].result, of_counted(found, held.run, counted), lines)
        rows = len(measured.speeds.ways) + len(measured.speeds.passages)
        if (objects or form == "csv") and rows > self._most_rows:
            raise TooLarge(f"{rows} objects and crossings, {self._most_rows} are allowed: choose classes")
        if form == "csv":
            ((path, chunks),) = speeds_csv.files([measured if geometry else replace(measured, lines=())])
            return {"type": CSV, "path": path}, iter(chunks)
        lost = {"filter": which, "unplaced": []}
        brief: dict[str, Any] = {} if objects else {"objects": [], "crossings": []}
        return _json(lost | speeds_json.plain(measured) | brief)

    def overview(self, job_id: str, bins: int, which: dict[str, Any]) -> Answer:
        """Objects in view over time, how many there were, lost frames and gaps; see `runs.overview`.

        Raises:
            Misconfigured: a filter that nothing can pass.
        """
        _, held = self._held(job_id)
        chosen = _filter(which)
        groups = _left(held, held.run.count(), chosen).groups
        return _json(overview(held.run, groups, chosen, bins) | {"filter": which})

    def audit(self, job_id: str, bins: str | None = None) -> Answer:
        """What was counted at the lines and zones of a job, and what people said of it; by bins where they are asked for."""
        job, held = self._held(job_id)
        drawn = geometry_of(self._notes, job_id)
        timeline = _timeline(held, held.run.count(drawn.lines, drawn.zones), job)
        digests = [shape_digest(line, held.run.size) for line in drawn.lines]
        digests += [shape_digest(zone, held.run.size) for zone in drawn.zones]
        whole = audited(evidence(timeline, held.run.size), digests, verdicts_of(self._notes, job_id))
        by_bin = [] if bins is None else audited_bins(timeline, whole, parse_bins(bins))
        return _json({"revision": drawn.revision} | whole | {"by_bin": by_bin})

    def _shapes(
        self, job_id: str, geometry: str | None, names: list[str] | None
    ) -> tuple[tuple[Line, ...], tuple[Zone, ...]]:
        """Lines and zones of a text, or of a job; those of these names.

        Raises:
            InvalidFile: the text holds something else.
            Misconfigured: there is none of a name.
        """
        if geometry is None:
            drawn = geometry_of(self._notes, job_id)
            lines, zones = drawn.lines, drawn.zones
        else:
            lines, zones = read_lines(geometry, "body"), read_zones(geometry, "body")
        if names is None:
            return lines, zones
        drawn_names = [*(line.name for line in lines), *(zone.name for zone in zones)]
        missing = {*names} - {*drawn_names}
        if missing:
            there = f"there are {', '.join(drawn_names)}" if drawn_names else "none is drawn yet"
            raise Misconfigured(f"lines: there is no {min(missing)!r}; {there}", code="filter")
        return (
            tuple(line for line in lines if line.name in names),
            tuple(zone for zone in zones if zone.name in names),
        )

    # --- pictures

    def frame(self, job_id: str, frame: int, annotated: bool, width: int | None) -> Answer:
        """One frame as JPEG; see `rendering.stored.frame_jpeg`."""
        source = requests.decode(self._jobs.get(job_id).request).source
        blob = frame_jpeg(self._places, source, frame, self._drawn(job_id) if annotated else None, width)
        return {"type": "image/jpeg", "bytes": len(blob)}, iter((blob,))

    def clip(self, job_id: str, start_us: int, end_us: int | None, annotated: bool) -> Answer:
        """Some seconds as MP4; see `rendering.stored.clip`."""
        source = requests.decode(self._jobs.get(job_id).request).source
        drawn = self._drawn(job_id) if annotated else None
        with self._turn(), TemporaryDirectory(dir=self._scratch) as folder:
            path = Path(folder) / "clip.mp4"
            begins_us = clip(self._places, source, start_us, end_us, path, drawn)
            made = path.open("rb")  # stays readable when the folder is gone
        size = made.seek(0, io.SEEK_END)
        return {"type": "video/mp4", "bytes": size, "begins_us": begins_us}, _chunks(made)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The one turn to make something large.

        Raises:
            Unavailable: too many wait for it.
        """
        if not self._queue.acquire(blocking=False):
            raise Unavailable("too many results and clips are being made: ask again later", code="busy")
        try:
            with self._making:
                yield
        finally:
            self._queue.release()

    # --- jobs

    def _ready(self, job_id: str) -> tuple[Job, Place, Recipe]:
        job = edited(self._notes, self._jobs.get(job_id))
        recipe = msgspec.structs.replace(known_of(job), clock_start=job.clock_start)
        return job, of_job(self._objects, job), recipe

    def _held(self, job_id: str) -> tuple[Job, Held]:
        try:
            job = edited(self._notes, self._jobs.get(job_id))
        except NotFound:
            self._runs.drop({job_id})
            raise
        version = str(job.result.get("sha256", ""))
        return job, self._runs.open(job_id, version, lambda: of_job(self._objects, job))

    def _drawn(self, job_id: str) -> Drawn:
        _, place, recipe = self._ready(job_id)
        counts = self._held(job_id)[1].run.count() if recipe.tracked else None
        return Drawn(place, recipe, counts)


def _filter(which: dict[str, Any]) -> Filter:
    """A filter of its fields."""
    return Filter(**{**which, "classes": tuple(which.get("classes", ()))})


def _left(held: Held, counts: JobCounts, which: Filter) -> JobCounts:
    """What a filter leaves of counts."""
    return counts if which == EVERYTHING else filtered(held.run, counts, which, held.hits)


def _occupancy(held: Held, counts: JobCounts) -> list[Occupancy]:
    """How full the zones were."""
    return occupancy(counts, [group.name for group in held.run.video.groups], held.run.video.frames)


def _timeline(held: Held, counts: JobCounts, job: Job) -> Timeline:
    """On the clock that people say now, whatever it was when the job ran."""
    start = None if job.clock_start is None else datetime.fromisoformat(job.clock_start)
    return alone(held.run.video.named(held.run.video.video_id, start), counts)


def _check_rows(timeline: Timeline, bin_us: int | None, series: int, most: int) -> None:
    if bin_us is None:
        return
    (job,) = timeline.jobs
    begin, end = job.span_us
    rows = ((end - begin) // bin_us + 2) * series
    if rows > most:
        raise TooLarge(f"about {rows} rows of counts, {most} are allowed: choose longer bins")


def _json(value: Any) -> Answer:
    blob = msgspec.json.encode(value) + b"\n"
    return {"type": JSON, "bytes": len(blob)}, (blob[at : at + CHUNK] for at in range(0, len(blob), CHUNK))


def _pack(made: IO[bytes], files: Iterable[tuple[str, Iterable[bytes]]], name: str) -> tuple[str, str]:
    """Write files: one as it is, several as a ZIP, whose bytes follow from theirs; its kind, and a name for it."""
    found = iter(files)
    path, content = next(found)
    second = next(found, None)
    if second is None:
        made.writelines(content)
        return "", path
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for each, chunks in ((path, content), second, *found):
            entry = zipfile.ZipInfo(each)  # of 1980: no clock reaches a result
            entry.compress_type = zipfile.ZIP_DEFLATED
            with packed.open(entry, "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk)
    return "application/zip", f"{name}.zip"


def _chunks(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        made.seek(0)
        while chunk := made.read(CHUNK):
            yield chunk
