"""`sightline worker` whose processes end by SIGKILL at points that are named from outside; the program itself knows nothing of it.

A point is a stage, a method of a port, and a moment: `track.commit.in`. Whoever wants a process to die there puts a file of
that name and a number into the folder `DIES_IN`: the n-th passage from then on is the last of its process. The rename of that
file counts, so that among all processes one dies, once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import monitoring

from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.sending import _Batch
from sightline.adapters.mongo.store import MongoStore
from sightline.adapters.postgres.server import Connected
from sightline.adapters.postgres.store import PostgresStore
from sightline.adapters.s3.bucket import Bucket
from sightline.adapters.s3.objects import S3Objects
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.runtime.publish import Publisher
from sightline.runtime.relay import Relay
from sightline.runtime.worker import FoldWorker

__all__ = ["DIED", "DIES_IN", "arm", "plant"]

DIES_IN = "DIES_IN"
DIED = "died"
MOST = 4
CHANGES = frozenset({"insert", "update", "delete", "findAndModify"})
UNDER_WAY_S = 0.001
STEPS = {Feeder: "feed", DetectRole: "detect", Lane: "detect", Publisher: "publish", Relay: "relay"}
LEDGER = ("claim", "release", "load", "commit", "create", "advance", "pending", "sent", "give_back")
PORTS: dict[type, tuple[str, ...]] = {
    KafkaLog: ("read", "append"),
    PostgresStore: LEDGER,
    MongoStore: LEDGER,
    S3Objects: ("put_new", "read"),
}


class _Now(threading.local):
    """What a thread is at.

    Attributes:
        stage: whose step it is in.
        inside: the point within the call that it is in.
    """

    stage = ""
    inside = ""


_now = _Now()


def arm(folder: Path, point: str, passage: int = 1) -> None:
    """Let whoever comes to a point be killed there, at the n-th passage of all processes."""
    (folder / f"{point}.{passage}").touch()


def _passed(point: str) -> None:
    """Count a passage, and die if it is the one."""
    folder = os.environ[DIES_IN]
    for left in range(1, MOST + 1):
        after = str(left - 1) if left > 1 else DIED
        try:
            os.rename(f"{folder}/{point}.{left}", f"{folder}/{point}.{after}")
        except FileNotFoundError:
            continue
        if left == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return


@contextmanager
def _at(**what: str) -> Iterator[None]:
    before = {name: getattr(_now, name) for name in what}
    vars(_now).update(what)
    try:
        yield
    finally:
        vars(_now).update(before)


def plant(stage: str = "") -> None:
    """Watch the points of this process.

    Args:
        stage: of threads that are in no step of a worker.
    """
    _Now.stage = stage
    for kind, name in STEPS.items():
        _watch_step(kind, lambda worker, name=name: name)
    _watch_step(FoldWorker, lambda worker: worker.stage)
    for port, methods in PORTS.items():
        for method in methods:
            _watch(port, method)
    _plant_inside()


def _watch_step(kind: type, stage_of: Callable[[Any], str]) -> None:
    for method in ("step", "release"):
        plain = getattr(kind, method, None)
        if plain is not None:
            setattr(kind, method, _in_stage(plain, stage_of))


def _in_stage(plain: Any, stage_of: Callable[[Any], str]) -> Any:
    def call(worker: Any, *args: Any, **more: Any) -> Any:
        with _at(stage=stage_of(worker)):
            return plain(worker, *args, **more)

    return call


def _watch(port: type, method: str) -> None:
    plain = getattr(port, method)

    def call(self: Any, *args: Any, **more: Any) -> Any:
        point = f"{_now.stage}.{method}"
        _passed(f"{point}.before")
        with _at(inside=f"{point}.in"):
            answer = plain(self, *args, **more)
        _passed(f"{point}.after")
        return answer

    setattr(port, method, call)


# --- within a call -------------------------------------------------------------------------------------------------


def _plant_inside() -> None:
    """Where a call is half done.

    Kafka: one record of an append is acknowledged. PostgreSQL: the statement was sent, its answer is not read. MongoDB: the
    first write of the call is done. S3: the request is under way, how far is left to time.
    """
    begin, report, wait, put = _Batch.__init__, _Batch.report, Connected.wait, Bucket.put

    def begun(self: Any, *args: Any) -> None:
        begin(self, *args)
        self.inside = _now.inside  # the client answers in the thread of whoever flushes

    def reported(self: Any, error: Any, message: Any) -> None:
        report(self, error, message)
        if error is None:
            _passed(self.inside)

    def waited(self: Any, gen: Any, *args: Any, **more: Any) -> Any:
        return wait(self, _sent(gen) if _now.inside else gen, *args, **more)

    def under_way(self: Any, *args: Any, **more: Any) -> None:
        if _now.inside:
            threading.Timer(UNDER_WAY_S, _passed, (_now.inside,)).start()
        put(self, *args, **more)

    for kind, method, wrapped in (
        (_Batch, "__init__", begun),
        (_Batch, "report", reported),
        (Connected, "wait", waited),
        (Bucket, "put", under_way),
    ):
        setattr(kind, method, wrapped)
    monitoring.register(_Written())


def _sent(gen: Any) -> Any:
    """A conversation with PostgreSQL that may end once the question is on its way."""
    wanted = next(gen)
    _passed(_now.inside)
    try:
        while True:
            wanted = gen.send((yield wanted))
    except StopIteration as end:
        return end.value


class _Written(monitoring.CommandListener):
    """Hears of each write that MongoDB has acknowledged."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """See pymongo."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """See pymongo."""
        if _now.inside and event.command_name in CHANGES:
            _passed(_now.inside)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """See pymongo."""
