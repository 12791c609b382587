"""Which jobs come when: by chance, from cameras, or all at once. A seed decides everything."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Arrival", "at_once", "cameras", "poisson"]

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that comes.

    Attributes:
        at_us: when, microseconds from the start.
        job_id: decides its partition.
        frames: that it samples.
        kind: by what results are told apart, such as `short`.
    """

    at_us: int
    job_id: str
    frames: int
    kind: str


def at_once(jobs: int, frames: int, *, kind: str = "job", seed: int = 0, at_s: float = 0) -> list[Arrival]:
    """So many jobs of so many frames at one moment."""
    return [Arrival(round(at_s * SECOND), f"{kind}-{seed}-{n}", frames, kind) for n in range(jobs)]


def poisson(
    per_s: float, seconds: float, lengths: Sequence[tuple[str, int, float]], *, seed: int = 0
) -> list[Arrival]:
    """Jobs that know nothing of each other.

    Args:
        per_s: jobs a second.
        seconds: for which they come.
        lengths: kind, frames and weight of each length.
        seed: of the times and of the lengths.
    """
    chance, found, at = random.Random(seed), list[Arrival](), 0.0
    weights = [weight for _, _, weight in lengths]
    while (at := at + chance.expovariate(per_s)) < seconds:
        kind, frames, _ = chance.choices(lengths, weights)[0]
        found.append(Arrival(round(at * SECOND), f"{kind}-{seed}-{len(found)}", frames, kind))
    return found


def cameras(count: int, files: int, frames: int, every_s: float, *, seed: int = 0) -> list[Arrival]:
    """Cameras that each deliver a file again and again, each at a moment of its own.

    Args:
        count: of cameras.
        files: of each.
        frames: of a file.
        every_s: seconds between two files of a camera.
        seed: of the moments.
    """
    chance = random.Random(seed)
    phases = [chance.random() * every_s for _ in range(count)]
    found = [
        Arrival(round((phase + every_s * file) * SECOND), f"camera-{seed}-{number}-{file}", frames, "camera")
        for number, phase in enumerate(phases)
        for file in range(files)
    ]
    return sorted(found, key=lambda each: (each.at_us, each.job_id))
