"""A job of a service that has ended, made in this process by the tools that the worker has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.service_tools import ServiceTools, service_topology
from sightline.formats import source_index
from sightline.jobs import requests
from sightline.jobs.requests import SourceRef, event_of, index_key, input_key
from sightline.ports import TERMINAL, Job
from sightline.runtime.host import Host, World
from sightline.settings import DetectOptions
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, look_into

STREET = Path(__file__).resolve().parents[1] / "src/sightline/demo/street.mp4"
CLOCK = "2026-11-21T08:00:00+01:00"


@dataclass
class Stored:
    """The store, the objects, and the ids of the jobs in them."""

    root: Path
    store: SqliteStore
    objects: FolderObjects

    @property
    def places(self) -> Places:
        """Where sources lie: in the objects alone."""
        return Places(self.objects, Roots({}))

    def add(self, job_id: str, clip: Path = STREET, pipeline: str = "traffic") -> Job:
        """Take a video in, as an upload is."""
        key = input_key("videos", job_id)
        stat = self.objects.put_new(key, [clip.read_bytes()])
        source = SourceRef(
            kind="video",
            name=clip.name,
            key=key,
            index_key=index_key(job_id),
            bytes=stat.size,
            sha256=stat.sha256,
        )
        index = look_into(self.places, source)
        self.objects.put_new(index_key(job_id), [source_index.encode(index)])
        request = requests.Request(pipeline=pipeline, source=source)
        job = Job(job_id, clip.name, 0, state="sent", request=requests.encode(request), clock_start=CLOCK)
        assert self.store.create(job, [event_of(job)])
        return job

    def work(self, *job_ids: str) -> None:
        """Bring these jobs to their end."""
        tools = ServiceTools(
            self.store,
            self.places,
            DetectOptions.model_validate({"model": "sightline-tiny", "precision": "f32"}),
            2,
        )
        world = World(self.store, self.objects, service_topology())
        host = Host(tools.tools(), 2, alone=False, listen=self.store.wait)
        host.add(world)
        host.run(
            lambda: (
                host.error(world) is not None
                or all(self.store.get(job_id).state in TERMINAL for job_id in job_ids)
            ),
            lambda: False,
        )
        error = host.error(world)
        host.remove(world)
        tools.close()
        if error is not None:
            raise error


def opened(root: Path) -> Stored:
    """An empty data folder."""
    return Stored(root, SqliteStore(root / "store.sqlite"), FolderObjects(root / "objects"))
