"""Places: where a finished run lies, a folder or any object store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sightline.adapters.files.objects import FolderObjects
from sightline.errors import NotFound
from sightline.jobs.files import RUN_JSON
from sightline.ports import Job, ObjectStore, Stat

__all__ = ["Place", "in_folder", "of_job"]


@dataclass(frozen=True, slots=True)
class Place:
    """The objects of one run.

    Attributes:
        objects: the store that holds them.
        prefix: of their keys, empty or ending in `/`; a run names its files without it.
        name: what messages call it.
        path: the folder on this machine in which they lie as files; None in another store.
    """

    objects: ObjectStore
    prefix: str
    name: str
    path: Path | None = None

    def read(self, file: str) -> bytes:
        """A whole file.

        Raises:
            NotFound: it is missing.
        """
        return b"".join(self.objects.read(self.prefix + file))

    def open_local(self, file: str) -> AbstractContextManager[Path]:
        """A file on this machine, a copy where the store is another one.

        Raises:
            NotFound: it is missing.
        """
        return self.objects.open_local(self.prefix + file)

    def stat(self, file: str) -> Stat:
        """Size and hash of a file as it is stored.

        Raises:
            NotFound: it is missing.
        """
        return self.objects.stat(self.prefix + file)


def in_folder(folder: Path) -> Place:
    """The run of a folder, which must be there.

    Raises:
        NotFound: it is not.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder}: no such run folder")
    return Place(FolderObjects(folder), "", str(folder), folder)


def of_job(objects: ObjectStore, job: Job) -> Place:
    """The run that a job published, by the pointer in its row.

    Raises:
        NotFound: it has none: it is not `ready`.
    """
    key = str(job.result.get("key", ""))
    if job.state != "ready" or not key.endswith(RUN_JSON):
        raise NotFound(f"job {job.job_id} is {job.state}: it has no result")
    return Place(objects, key.removesuffix(RUN_JSON), f"job {job.job_id}")
