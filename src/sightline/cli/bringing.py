"""What commands that bring something from elsewhere have in common: consent, and how far a download is."""

from __future__ import annotations

import sys

__all__ = ["agreed", "show"]


def agreed(question: str) -> bool:
    """Ask, where there is somebody to ask."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show(done: int, total: int | None) -> None:
    """Say how much is here, on a terminal."""
    if sys.stderr.isatty():
        whole = f"/{total / 1e6:.1f}" if total else ""
        sys.stderr.write(f"\r\x1b[K{done / 1e6:.1f}{whole} MB" + ("\n" if done == total else ""))
        sys.stderr.flush()
