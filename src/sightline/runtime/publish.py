"""The publisher: jobs whose streams are all complete in, verified objects and a flipped pointer out.

Bytes are a pure function of committed segments, keys are deterministic, and the pointer flips after every object was
read back: two publishers write equal bytes, and a crash at any step repeats them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sightline.errors import Corrupt, NotFound
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import JOB_TOPIC, partition_of
from sightline.ports import Job, Jobs, Ledger, Members, ObjectStore, Stat, Which
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.owning import Ownership
from sightline.runtime.routes import recipe_of
from sightline.stages.collect import segment_keys

__all__ = ["Publisher", "Refused", "Rendered", "Streams", "read_segments", "verified_put"]

PREDICTABLE = Which(states=("predictable",), oldest_first=True)
Streams = Iterator[tuple[str, Sequence[bytes]]]


@dataclass(frozen=True)
class Rendered:
    """The files of a result.

    Attributes:
        files: relative path and chunks of each.
        manifest_path: where the manifest lies.
        manifest: the file that lists all others, from size and hash by relative path, segments included. Written last.
        elsewhere: keys, without the job's prefix, under which some files are found too, by relative path.
    """

    files: Iterable[tuple[str, Iterable[bytes]]]
    manifest_path: str
    manifest: Callable[[Mapping[str, Stat]], bytes]
    elsewhere: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """Why there is no result: a stable word, and a sentence for people."""

    code: str
    reason: str


class Publisher:
    """Publishes predictable jobs.

    Args:
        jobs, ledger, objects: ports.
        render: files of a job, or why there are none, from its streams, each with its segments.
        shown: hears of a job whose files lie in their places, before it is `ready`.
        topic, partitions: of job events: publishers share jobs by them.
        members: who owns the partitions; None where nobody else publishes.
    """

    def __init__(
        self,
        jobs: Jobs,
        ledger: Ledger,
        objects: ObjectStore,
        render: Callable[[Recipe, Streams], Rendered | Refused],
        *,
        shown: Callable[[Recipe], None] = lambda recipe: None,
        topic: str = JOB_TOPIC,
        partitions: int = 1,
        members: Members | None = None,
    ) -> None:
        self._partitions, self._shown = partitions, shown
        self._owner = Ownership("publish", topic, range(partitions), members)
        self._jobs, self._ledger, self._objects, self._render = jobs, ledger, objects, render

    def step(self) -> int:
        """Publish every job that waits for it, or end it where its segments or its source do not allow it; how many."""
        mine = self._owner.named()
        return sum(
            self._done(job)
            for job in self._predictable()
            if partition_of(job.job_id, self._partitions) in mine
        )

    def _predictable(self) -> Iterator[Job]:
        """A page at a time: jobs that others are slow with stand in nobody's way."""
        after = ""
        while True:
            page = self._jobs.list(PREDICTABLE, after=after)
            yield from page.jobs
            after = page.cursor
            if not after:
                return

    def _done(self, job: Job) -> int:
        try:
            with of_job(self._jobs, job.job_id):
                return self._publish(job)
        except JobEnded:
            return 1

    def _publish(self, job: Job) -> int:
        stored: dict[str, Stat] = {}
        recipe = recipe_of(job)
        prefix = recipe.route.prefix
        rendered = self._render(recipe, read_segments(self._objects, prefix, self._frames(recipe), stored))
        if isinstance(rendered, Refused):
            code, reason = rendered.code, rendered.reason
            return int(self._jobs.advance(job.job_id, "failed", code=code, reason=reason))
        for path, chunks in rendered.files:
            stored[path] = verified_put(self._objects, prefix + path, chunks)
            if path in rendered.elsewhere:
                verified_put(self._objects, rendered.elsewhere[path], self._objects.read(prefix + path))
        manifest = rendered.manifest({path: stored[path] for path in sorted(stored)})
        stat = verified_put(self._objects, prefix + rendered.manifest_path, (manifest,))
        self._shown(recipe)
        pointer = {"key": prefix + rendered.manifest_path, "bytes": stat.size, "sha256": stat.sha256}
        return int(self._jobs.advance(job.job_id, "ready", result=pointer))

    def _frames(self, recipe: Recipe) -> dict[str, int]:
        """Frames by stream: the end of a stream is released as one more than there are frames."""
        done = self._ledger.progress(recipe.job_id)
        return {stream: done["collect", stream] - 1 for stream in recipe.streams}


def read_segments(
    objects: ObjectStore, prefix: str, frames: Mapping[str, int], stored: dict[str, Stat]
) -> Streams:
    """Each stream with its segments in order, a stream at a time; size and hash go to `stored` by relative path as they come."""
    for stream, n in frames.items():
        blobs = []
        for key in segment_keys(prefix, stream, n):
            try:
                blob = b"".join(objects.read(key))
            except NotFound as error:
                raise Corrupt(f"{error}, though its frames are committed") from error
            stored[key.removeprefix(prefix)] = Stat.of((blob,))
            blobs.append(blob)
        yield stream, blobs


def verified_put(objects: ObjectStore, key: str, chunks: Iterable[bytes]) -> Stat:
    """Put an object and read it back.

    Raises:
        Corrupt: what was read back is not what was put.
    """
    stat = objects.put_new(key, chunks)
    back = Stat.of(objects.read(key))
    if back != stat:
        raise Corrupt(
            f"object {key}: {back.size} bytes read back, {stat.size} put, or another hash", code="put_damaged"
        )
    return stat
