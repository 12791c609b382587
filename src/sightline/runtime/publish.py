"""The publisher: jobs whose streams are all complete in, verified objects and a flipped pointer out.

Bytes are a pure function of committed segments, keys are deterministic, and the pointer flips after every object was
read back: two publishers write equal bytes, and a crash at any step repeats them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sightline.errors import Corrupt, NotFound
from sightline.ports import Job, Jobs, Ledger, ObjectStore, Stat, Which
from sightline.runtime.failures import JobEnded, of_job
from sightline.stages.collect import segment_keys

__all__ = ["Publisher", "read_segments", "verified_put"]

PREDICTABLE = Which(states=("predictable",), oldest_first=True)
Files = Iterator[tuple[str, Iterable[bytes]]]
Streams = Iterator[tuple[str, Sequence[bytes]]]


class Publisher:
    """Publishes predictable jobs.

    Args:
        jobs, ledger, objects: ports.
        render: files of a job, (object key, chunks), from its streams, each with its segments; or why it has failed,
            (code, reason). It takes all streams before it gives a file, and sees size and hash of what is stored
            already, segments included, when a file is taken.
    """

    def __init__(
        self,
        jobs: Jobs,
        ledger: Ledger,
        objects: ObjectStore,
        render: Callable[[Job, Streams, Mapping[str, Stat]], Files | tuple[str, str]],
    ) -> None:
        self._jobs, self._ledger, self._objects, self._render = jobs, ledger, objects, render

    def step(self) -> int:
        """Publish every job that waits for it, or end it where its segments or its source do not allow it; how many."""
        return sum(self._done(job) for job in self._jobs.list(PREDICTABLE).jobs)

    def _done(self, job: Job) -> int:
        try:
            with of_job(self._jobs, job.job_id):
                return self._publish(job)
        except JobEnded:
            return 1

    def _publish(self, job: Job) -> int:
        stored: dict[str, Stat] = {}
        rendered = self._render(job, read_segments(self._objects, job, self._frames(job), stored), stored)
        if isinstance(rendered, tuple):
            code, reason = rendered
            return int(self._jobs.advance(job.job_id, "failed", code=code, reason=reason))
        for key, chunks in rendered:
            stored[key] = verified_put(self._objects, key, chunks)
        listed = {key: {"bytes": stored[key].size, "sha256": stored[key].sha256} for key in sorted(stored)}
        return int(self._jobs.advance(job.job_id, "ready", result={"files": listed}))

    def _frames(self, job: Job) -> dict[str, int]:
        """Frames by stream: the end of a stream is released as one more than there are frames."""
        done = self._ledger.progress(job.job_id)
        return {stream: done["collect", stream] - 1 for stream in job.streams}


def read_segments(
    objects: ObjectStore, job: Job, frames: Mapping[str, int], stored: dict[str, Stat]
) -> Streams:
    """Each stream with its segments in order, a stream at a time; their sizes and hashes go to `stored` as they come."""
    prefix = str(job.settings.get("prefix", ""))
    for stream, n in frames.items():
        blobs = []
        for key in segment_keys(prefix, stream, n):
            try:
                blob = b"".join(objects.read(key))
            except NotFound as error:
                raise Corrupt(f"{error}, though its frames are committed") from error
            stored[key] = Stat(len(blob), hashlib.sha256(blob).hexdigest())
            blobs.append(blob)
        yield stream, blobs


def verified_put(objects: ObjectStore, key: str, chunks: Iterable[bytes]) -> Stat:
    """Put an object and read it back.

    Raises:
        Corrupt: what was read back is not what was put.
    """
    stat = objects.put_new(key, chunks)
    digest, size = hashlib.sha256(), 0
    for chunk in objects.read(key):
        digest.update(chunk)
        size += len(chunk)
    if (size, digest.hexdigest()) != (stat.size, stat.sha256):
        raise Corrupt(
            f"object {key}: {size} bytes read back, {stat.size} put, or another hash", code="put_damaged"
        )
    return stat
