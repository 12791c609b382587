"""What the API works over: ports, and a few functions that others fill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sightline.api.reports import Report
from sightline.errors import NotFound, Unavailable
from sightline.jobs.purge import Purged
from sightline.jobs.requests import Folder, Listing, Located, SourceRef
from sightline.ports import Notes, ObjectStore, Store

__all__ = ["Backend", "MediaType", "NoRoots", "Probed", "Purged", "Roots", "Vitals"]

MediaType = Literal["video", "image"]


@dataclass(frozen=True)
class Probed:
    """What was found in a source whose index was stored; `bytes` and `times` as `SourceRef` has them."""

    frames: int
    width: int
    height: int
    duration_us: int
    codec: str
    bytes: int = 0
    times: str = ""


class Roots(Protocol):
    """What lies below the folders of this machine in which a source may be named."""

    def locate(self, root: str, key: str) -> Located:
        """What lies at a path below a root.

        Raises:
            NotFound: no such root is configured, nothing lies there, or it lies outside.
            InvalidVideo: it is a folder without images.
        """

    def sequence(self, name: str) -> Located:
        """What system A means by a name: a sequence of the dataset, or a video beside the sequences.

        Raises:
            NotFound: nothing; a sequence has images.
        """

    def look(self, root: str) -> Folder | None:
        """A root as it is now; None where none is configured."""

    def has(self, root: str) -> bool:
        """Whether such a root is configured."""

    def list(self, root: str, key: str) -> Listing:
        """Folders, videos and folders of images in a folder; an empty key is the root itself.

        Raises:
            NotFound: as `locate`; or it is no folder, or cannot be listed.
        """

    def read(self, root: str, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Bytes of a file, as `ObjectStore.read` gives them.

        Raises:
            NotFound: at the first chunk, if it is gone.
        """


class NoRoots:
    """No folder is configured."""

    def locate(self, root: str, key: str) -> Located:
        """See `Roots`."""
        raise NotFound(f"{key}: no folder {root!r} is configured")

    def sequence(self, name: str) -> Located:
        """See `Roots`."""
        raise NotFound(f"{name}: no dataset is configured")

    def look(self, root: str) -> Folder | None:
        """See `Roots`."""
        return None

    def has(self, root: str) -> bool:
        """See `Roots`."""
        return False

    def list(self, root: str, key: str) -> Listing:
        """See `Roots`."""
        raise NotFound(f"{key}: no folder {root!r} is configured")

    def read(self, root: str, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `Roots`."""
        raise NotFound(f"{key}: no folder {root!r} is configured")


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the work is.

    Attributes:
        moving: nothing waits, or what waits goes on.
        stage: what stands still, where something does.
        still_s: for how many seconds.
        confinement: what confines the decoder of uploads, in words.
        confined: it is enough for files of strangers.
        model: name of the one that all jobs run; empty while nobody has said it.
        awaits: codes of the services that do not answer.
    """

    moving: bool = True
    stage: str = ""
    still_s: float = 0.0
    confinement: str = "unknown"
    confined: bool = True
    model: str = ""
    awaits: tuple[str, ...] = ()


def _always() -> bool:
    return True


def _nobody(call: str, **arguments: Any) -> tuple[Mapping[str, Any], Iterator[bytes]]:
    raise Unavailable("there is no worker to ask", code="worker_down")


def _anything(pipeline: str) -> None:
    """No model is known that could lack a label."""


@dataclass(frozen=True)
class Backend:
    """See the module. Everything is synchronous and safe to call from several threads.

    Attributes:
        store: jobs, log and ledger.
        objects: uploads and results.
        notes: uploads under way.
        probe: looks into a source, in a confined process, and stores its index. Raises `NotFound`, `InvalidVideo` or
            `Unavailable`; may take seconds.
        now_us: microseconds since 1970-01-01 UTC.
        new_id: UUID4 text.
        cancel_and_purge: stops a job and removes it with all its objects; see `sightline.jobs.purge`.
        moving: whether work that waits goes on; health is red where it does not.
        roots: what lies below folders of this machine.
        stream: asks the worker about a job: name of the question, and its arguments. A head, and bytes that are to be
            closed or read to their end; see `sightline.serving.queries`. Raises what the worker raises, `Unavailable`
            where there is none, and in the middle where the answer was cut.
        vitals: the same, with what stands still, and what confines uploads; never raises.
        reports: what each process of the service has counted, by its role; of one that is away what it said last.
        spanned: hears of each request: its facts, its `traceparent`, begin and end in nanoseconds; None: nobody does.
        check: whether the model has labels for each group of a pipeline. Raises `Misconfigured` (`no_label`).
    """

    store: Store
    objects: ObjectStore
    notes: Notes
    probe: Callable[[SourceRef], Probed]
    now_us: Callable[[], int]
    new_id: Callable[[], str]
    cancel_and_purge: Callable[[str], Purged]
    moving: Callable[[], bool] = _always
    roots: Roots = field(default_factory=NoRoots)
    stream: Callable[..., tuple[Mapping[str, Any], Iterator[bytes]]] = _nobody
    vitals: Callable[[], Vitals] = Vitals
    reports: Callable[[], Mapping[str, Report]] = dict
    spanned: Callable[[Mapping[str, Any], str, int, int], None] | None = None
    check: Callable[[str], None] = _anything
