"""A file sent in pieces (tus 1.0). Where it was cut, the same command goes on: a small file remembers the upload."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from sightline.client.server import Server
from sightline.disk import write_whole
from sightline.errors import Corrupt, Misconfigured, NotFound, SightlineError, Unavailable

__all__ = ["submit"]

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = 64 * 2**20
HERE = frozenset({"disk_full", "disk_error", "unwritable"})  # asking the service again changes nothing
PATIENCE_S = (0.5, 1.0, 2.0, 5.0, 10.0)
Progress = Callable[[int, int], None]


def submit(
    server: Server,
    path: Path,
    wishes: Mapping[str, str],
    remembered: Path,
    progress: Progress = lambda done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Send a file; its job as JSON.

    Args:
        server: where to.
        path: of the file.
        wishes: `pipeline`, `name`, `clock_start`, `media_type`.
        remembered: folder in which uploads that were cut are remembered.
        progress: gets the bytes that are there, and all.
        sleep: waits between two tries.

    Raises:
        NotFound: no such file.
        Unavailable: the service does not answer; what came is kept for a day, the same command goes on.
        Rejected: it is no video that is accepted.
    """
    try:
        file = path.open("rb")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"{path}: {error.strerror}") from error
    with file:
        total = path.stat().st_size
        note = remembered / f"{_fingerprint(server, path, wishes)}.json"
        wanted = {"filename": path.name, **wishes}
        tries = 0
        while True:
            try:
                return _go_on(server, file, total, note, wanted, progress)
            except Unavailable as error:
                if tries == len(PATIENCE_S) or error.code in HERE:
                    raise
                sleep(PATIENCE_S[tries])
                tries += 1


def _go_on(
    server: Server,
    file: BinaryIO,
    total: int,
    note: Path,
    wanted: Mapping[str, str],
    progress: Progress,
) -> Any:
    place = _remembered(server, note)
    if place is None:
        said = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in wanted.items())
        headers = {**TUS, "Upload-Length": str(total), "Upload-Metadata": said}
        where = server.ask("POST", "/api/v1/uploads", headers=headers).header("location")
        place = urlsplit(where).path, 0, None
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, [json.dumps({"path": place[0]}).encode()])
    path, offset, job = place
    try:
        while job is None:
            progress(offset, total)
            file.seek(offset)
            size = min(PIECE, total - offset)
            headers = {
                **TUS,
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(size),
            }
            answer = server.ask("PATCH", path, _Part(file, size, offset, total, progress), headers)
            before, offset, job = offset, answer.number("upload-offset"), answer.headers.get("location")
            if job is None and not before < offset < total:
                raise Corrupt(
                    f"{server.url}: the upload stands at {offset} of {total} bytes and became no job; "
                    "the same command begins again",
                    code="no_service",
                )
    except Unavailable:
        raise
    except SightlineError:
        note.unlink(missing_ok=True)  # the service has forgotten it, or never wants it
        raise
    made = server.ask("GET", job).json()
    note.unlink(missing_ok=True)
    return made


class _Part:
    """Some bytes of a file, as a body whose progress is told."""

    def __init__(self, file: BinaryIO, size: int, offset: int, total: int, progress: Progress) -> None:
        self._file, self._left = file, size
        self._at, self._total, self._progress = offset, total, progress

    def read(self, size: int = -1, /) -> bytes:
        """Bytes, as they are asked for."""
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        self._at += len(block)
        self._progress(self._at, self._total)
        return block


def _remembered(server: Server, note: Path) -> tuple[str, int, str | None] | None:
    """Path of an upload that was begun, bytes that are there, and its job if it has become one."""
    try:
        path = str(json.loads(note.read_bytes())["path"])
        answer = server.ask("HEAD", path, headers=TUS)
    except (FileNotFoundError, ValueError, KeyError, NotFound, Misconfigured):
        return None
    return path, answer.number("upload-offset"), answer.headers.get("location")


def _fingerprint(server: Server, path: Path, wishes: Mapping[str, str]) -> str:
    stat = path.stat()
    said = [server.url, str(path.resolve()), stat.st_size, stat.st_mtime_ns, sorted(wishes.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
