"""Results brought to this machine: a file that was cut goes on, and is kept only if its hash is the one that was promised."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sightline.client.server import BLOCK, Server
from sightline.disk import chunks_of, disk_errors, require_file, settle, write_whole
from sightline.errors import Corrupt, Misconfigured, Rejected, Unavailable

__all__ = ["Brought", "fetch", "write"]


@dataclass(frozen=True)
class Brought:
    """Bytes of a file, and their sha256."""

    size: int
    sha256: str


_SHA = re.compile(r'"([0-9a-f]{64})"')
_TRIES = 5
_HERE = frozenset({"disk_full", "disk_error", "unwritable"})  # asking again changes nothing


def fetch(
    server: Server,
    path: str,
    target: Path,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Brought:
    """Bring a file of the service; what came before a cut lies beside it as `.part` and is not brought again.

    Raises:
        NotFound: the service has no such file.
        Unavailable: the line was cut again and again; the same command goes on. Or this machine cannot write the file.
        Corrupt: what came is not what the service said; nothing is kept.
    """
    require_file(target)
    part = target.with_name(f"{target.name}.part")
    tag = part.with_name(f"{part.name}.etag")
    for tries in range(_TRIES):
        try:
            promised = _bring(server, path, part, tag, progress)
            break
        except Unavailable as error:
            if tries == _TRIES - 1 or error.code in _HERE:
                raise
    brought = _measured(part)
    tag.unlink(missing_ok=True)
    try:
        _compare(promised, brought.sha256, str(target))
    except Corrupt:
        part.unlink()
        raise
    settle(part, target)
    return brought


def _compare(promised: str, sha256: str, what: str) -> None:
    """Compare a hash with the tag of a stored file; that of what was made for the question says nothing of its bytes.

    Raises:
        Corrupt: it is another one.
    """
    match = _SHA.fullmatch(promised)
    if match is not None and match[1] != sha256:
        raise Corrupt(f"{what}: what came is not what the service said; repeat the command", code="hash")


def _measured(path: Path) -> Brought:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(path):
        digest.update(chunk)
        size += len(chunk)
    return Brought(size, digest.hexdigest())


def write(server: Server, path: str) -> None:
    """Write a file of the service to stdout.

    Raises:
        Unavailable: the line was cut.
        Corrupt: what came is not what the service said.
    """
    digest = hashlib.sha256()
    with server.open("GET", path) as response:
        while block := response.read(BLOCK):
            digest.update(block)
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    _compare(response.headers.get("etag", ""), digest.hexdigest(), "stdout")


def _bring(
    server: Server, path: str, part: Path, tag: Path, progress: Callable[[int, int | None], None]
) -> str:
    """Bring what is missing; the tag of the file."""
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Range": f"bytes={have}-", "If-Range": tag.read_text()} if have else {}
    try:
        with server.open("GET", path, headers=headers) as response:
            etag = response.headers.get("etag", "")
            write_whole(tag, [etag.encode("latin-1", "replace")])
            length = response.headers.get("content-length")
            more = response.status == 206
            total = None if length is None else int(length) + (have if more else 0)
            with disk_errors(part.name), part.open("ab" if more else "wb") as file:
                while block := response.read(BLOCK):
                    file.write(block)
                    progress(file.tell(), total)
    except (Misconfigured, Rejected) as error:
        if error.code != "range" or not have:
            raise
        return tag.read_text()  # nothing is missing: the hash decides
    if total is not None and part.stat().st_size < total:
        raise Unavailable(f"{path}: the line was cut; the same command goes on", code="no_service")
    return etag
