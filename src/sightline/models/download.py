"""Bring a known model: resumed where it broke off, kept only if its hash is the known one."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sightline.disk import chunks_of, settle
from sightline.errors import Corrupt, Misconfigured, Unavailable
from sightline.models.cards import Card
from sightline.models.folders import models_folder
from sightline.models.registry import KNOWN, Model, find, resolve, verify, write_card
from sightline.ports import Stat
from sightline.validation import did_you_mean

__all__ = ["Progress", "download", "fetch", "get"]

Progress = Callable[[int, int | None], None]
_BLOCK = 2**16


def get(name: str, folder: Path | None = None, progress: Progress | None = None) -> Model:
    """The model of a known name; downloaded unless it is there already.

    The caller shows the licence (`KNOWN[name].licence`) and asks for consent first.

    Args:
        name: one of `KNOWN`.
        folder: where models are kept; None: `models_folder()`.
        progress: gets the bytes so far and, where the server says so, in all.

    Raises:
        Misconfigured: no such model.
        Unavailable: the server does not answer; what came so far is kept, repeating goes on from there.
        Corrupt: what came is another file; nothing is kept.
    """
    folder = models_folder() if folder is None else folder
    if name not in KNOWN:
        raise Misconfigured(f"no model {name!r} to get: {did_you_mean(name, KNOWN)}", code="model_missing")
    if find(name, folder) is not None:
        return verify(name, folder)
    download(KNOWN[name], folder, progress)
    return resolve(name, folder)


def download(card: Card, folder: Path, progress: Progress | None = None) -> Path:
    """Download the file of a card into `folder`, with the card beside it; errors as `get`."""
    target = folder / card.file
    part = target.with_name(f"{card.file}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fetch(card.url, part, progress)
    except (OSError, HTTPException) as exc:
        raise Unavailable(
            f"model {card.name}: {card.url}: {exc}; the same command goes on from there"
        ) from exc
    digest = Stat.of(chunks_of(part)).sha256
    if digest != card.sha256:
        part.unlink()
        raise Corrupt(
            f"model {card.name}: {card.url} gave sha256 {digest}, expected {card.sha256}", code="model_hash"
        )
    settle(part, target)
    write_card(card, target)
    return target


def fetch(url: str, part: Path, progress: Progress | None = None) -> None:
    """Download into a file, which goes on where an earlier call broke off.

    Raises:
        OSError, HTTPException: what came so far is kept.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer: Any = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code != 416:  # nothing is missing: the hash decides
            raise
        return
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        length = answer.headers.get("Content-Length")
        total = file.tell() + int(length) if length else None
        while block := answer.read(_BLOCK):
            file.write(block)
            if progress is not None:
                progress(file.tell(), total)
    if total is not None and part.stat().st_size < total:
        raise OSError(f"the connection broke off after {part.stat().st_size} of {total} bytes")
