"""Vehicles and people: how they look and their way through a street.

An actor enters at one edge of the frame, crosses and leaves for good: one actor, one id. Vehicles keep their lane and
its speed. More than half of the people cross the road on a zebra, the others cut a corner beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sprites import Look, Sprite, draw_person, draw_vehicle, shade
from .street import LANE, H, Street, W

__all__ = ["GROUPS", "LABELS", "PERSON", "Actor", "make_actor", "pick_vehicle"]

LABELS = ("car", "van", "truck", "person")
GROUPS = {"cars": (0, 1, 2), "people": (3,)}
PERSON = 3
PERSON_SIZE = (31, 40)  # shoulder width in pixels
PERSON_SPEED = (75, 115)  # pixels per second
ON_ZEBRA = 0.55  # share of people

PAINTS = [
    (232, 232, 228), (38, 38, 42), (150, 152, 156), (165, 36, 36),
    (36, 72, 150), (44, 110, 66), (205, 165, 50), (95, 95, 100),
]  # fmt: skip
CLOTHES = [
    (190, 40, 50), (40, 80, 180), (230, 225, 215), (40, 40, 48),
    (220, 170, 40), (60, 140, 80), (150, 70, 150), (235, 110, 40),
]  # fmt: skip
CARGO = [(226, 226, 220), (120, 140, 165), (176, 120, 80), (110, 130, 96)]
TROUSERS = [(44, 48, 70), (70, 62, 54), (30, 30, 32)]
SKIN = [(222, 178, 148), (168, 118, 86), (104, 72, 54)]
HAIR = [(40, 30, 24), (96, 68, 40), (186, 150, 90), (60, 60, 62)]


@dataclass(frozen=True, slots=True)
class Kind:
    """Ranges of a class of vehicles in pixels, and its share of the traffic."""

    length: tuple[int, int]
    width: tuple[int, int]
    lift: tuple[int, int]
    share: float


KINDS = (
    Kind((66, 86), (32, 37), (6, 9), 0.55),
    Kind((96, 114), (38, 42), (14, 18), 0.25),
    Kind((140, 178), (43, 48), (22, 28), 0.20),
)


class Actor:
    """One vehicle or person, moving along `path` at a constant speed in pixels per second.

    Attributes:
        level: 0 on the ground, 1 on the bridge.
        start, end: seconds at which it enters and has left.
    """

    def __init__(
        self,
        actor_id: int,
        class_id: int,
        level: int,
        start: float,
        speed: float,
        path: np.ndarray,
        look: Look,
    ) -> None:
        self.actor_id, self.class_id, self.level, self.start, self.speed = (
            actor_id,
            class_id,
            level,
            start,
            speed,
        )
        self.path, self.look = path, look
        self._sprites: dict[tuple[int, int], Sprite] = {}
        legs = np.diff(path, axis=0)
        lengths = np.hypot(*legs.T)
        self._headings = legs / lengths[:, None]
        self._reached = np.concatenate([[0], lengths.cumsum()])
        self.end = start + self._reached[-1] / speed

    def at(self, times: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Positions and legs of the path at `times` between start and end."""
        s = np.clip((np.asarray(times, float) - self.start) * self.speed, 0, self._reached[-1])
        k = np.clip(np.searchsorted(self._reached, s, side="right") - 1, 0, len(self._headings) - 1)
        return self.path[k] + self._headings[k] * (s - self._reached[k])[..., None], k

    def discs(self, times: np.ndarray) -> np.ndarray:
        """Its footprint at `times` as the centres of three discs along its axis, (n, 3, 2)."""
        position, k = self.at(times)
        reach = 0.0 if self.class_id == PERSON else max(0.0, (self.look.length - self.look.width) / 2)
        return position[:, None] + self._headings[k][:, None] * (np.array([-1, 0, 1]) * reach)[:, None]

    def sprite(self, time: float) -> tuple[np.ndarray, Sprite]:
        """Position and picture at `time`; people swing arms and legs."""
        position, k = self.at(time)
        walks = self.class_id == PERSON
        step = int((time - self.start) * self.speed / (self.look.length * 0.55)) % 4 if walks else 0
        pose = int(k), step
        if pose not in self._sprites:
            heading = self._headings[pose[0]]
            self._sprites[pose] = (
                draw_person(self.look, heading, step)
                if walks
                else draw_vehicle(LABELS[self.class_id], self.look, heading)
            )
        return position, self._sprites[pose]


def pick_vehicle(rng: np.random.Generator) -> int:
    """Class of the next vehicle."""
    return int(rng.choice(len(KINDS), p=[kind.share for kind in KINDS]))


def make_actor(
    rng: np.random.Generator,
    street: Street,
    light: tuple[int, int],
    actor_id: int,
    class_id: int,
    start: float,
) -> Actor:
    """A random actor of a class that enters `street` at `start` seconds."""
    if class_id == PERSON:
        return _person(rng, street, light, actor_id, start)
    lane, kind = street.lanes[rng.integers(len(street.lanes))], KINDS[class_id]
    colour = shade(PAINTS[rng.integers(8)], rng.uniform(0.85, 1.1))
    lift = rng.uniform(*kind.lift)
    cargo = shade(CARGO[rng.integers(4)], rng.uniform(0.85, 1.1))
    length = rng.uniform(*kind.length)
    look = Look(length, rng.uniform(*kind.width), light, colour, lift, cargo)
    far = (abs(lane.way[0]) * W + abs(lane.way[1]) * H) / 2 + 130
    path = np.array([lane.centre - lane.way * far, lane.centre + lane.way * far])
    return Actor(actor_id, class_id, lane.level, start, lane.speed, path, look)


def _person(
    rng: np.random.Generator, street: Street, light: tuple[int, int], actor_id: int, start: float
) -> Actor:
    tint = rng.uniform(0.8, 1.15)
    colour, trousers = shade(CLOTHES[rng.integers(8)], tint), TROUSERS[rng.integers(3)]
    skin, hair = SKIN[rng.integers(3)], HAIR[rng.integers(4)]
    size = rng.uniform(*PERSON_SIZE)
    look = Look(size, size, light, colour, trousers=trousers, skin=skin, hair=hair)
    way = (_over_zebra if rng.random() < ON_ZEBRA else _around_corner)(rng, street, 40)
    path = np.array(way if rng.random() < 0.5 else way[::-1], float)
    return Actor(actor_id, PERSON, 0, start, rng.uniform(*PERSON_SPEED), path, look)


def _over_zebra(rng: np.random.Generator, street: Street, margin: float) -> list[tuple[float, float]]:
    """From above the frame over a zebra to below it."""
    x = street.zebras[rng.integers(2)] + rng.uniform(-20, 20)
    y, half = street.road.y_at(x), street.road.lanes * LANE / 2 + 20
    return [
        (x + rng.uniform(-160, 160), -margin),
        (x, y - half),
        (x + rng.uniform(-6, 6), y + half),
        (x + rng.uniform(-160, 160), H + margin),
    ]


def _around_corner(rng: np.random.Generator, street: Street, margin: float) -> list[tuple[float, float]]:
    """From the left or right edge to the nearer of top and bottom, beside the road."""
    top, left, reach = rng.random() < 0.5, rng.random() < 0.5, rng.uniform(150, 620)
    beside = street.road.half + 60
    room = street.road.centre[1] - beside if top else H - street.road.centre[1] - beside
    y = rng.uniform(0.3, 1) * max(room, 60)
    way = [(-margin, y), (reach * 0.6, y * rng.uniform(0.5, 1)), (reach, -margin)]
    return [(x if left else W - x, y if top else H - y) for x, y in way]
