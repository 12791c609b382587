"""Procedural street scenes from above with exact ground truth.

`clip(seed)` yields every frame of one clip; `training(seed)` yields scattered moments of other worlds, with more
traffic, other light, blur and JPEG artefacts. Everything follows from the seed. Frames are uint8 RGB (H, W, 3).

The truth box is the full extent of an actor clipped to the frame, whether or not something hides part of it. Its
visible share is the share of its pixels that can be seen: hidden parts and parts outside the frame are missing.
From `MUST` on a detector has to find the actor; between `SEEN` and `MUST` it may or may not; below `SEEN` the actor
is not in the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from .actors import GROUPS, LABELS, PERSON, Actor, make_actor, pick_vehicle
from .sprites import Sprite
from .street import H, Street, W

__all__ = ["GROUPS", "LABELS", "MUST", "SEEN", "H", "Truth", "W", "World", "clip", "training"]

MUST = 0.5
SEEN = 0.05
TICK = 0.2  # seconds between two looks at whether actors would touch
GAP = 9  # least distance in pixels between the discs of two actors on one level
CROWDED = -6  # between two people in training scenes: their boxes may overlap for seconds
APART = 4  # between two people in a clip: nobody walks inside the box of another
QUIET = ((0.0, 0.6), (11.0, 13.0), (24.2, 25.0))


@dataclass(slots=True)
class Truth:
    """What is in one frame: equally long arrays; boxes are xyxy in pixels."""

    ids: np.ndarray
    class_ids: np.ndarray
    boxes: np.ndarray
    visible: np.ndarray


class _Canvas:
    """A frame in the making: its picture, and which actor owns each pixel (0 for none)."""

    def __init__(self, ground: np.ndarray) -> None:
        self.picture, self.owner = ground.copy(), np.zeros((H, W), np.int32)

    def put(self, sprite: Sprite, x: float, y: float, actor_id: int) -> None:
        left, top = round(x) + sprite.dx, round(y) + sprite.dy
        h, w = sprite.alpha.shape
        x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + w, W), min(top + h, H)
        if x1 < x2 and y1 < y2:
            cut = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
            part = self.picture[y1:y2, x1:x2]
            part += (sprite.rgb[cut] - part) * sprite.alpha[cut][..., None]
            self.owner[y1:y2, x1:x2][sprite.solid[cut]] = actor_id


class _Footprints:
    """Where the admitted actors are at each tick, to keep them from touching."""

    def __init__(self, begin: float, end: float) -> None:
        n = round((end - begin) / TICK)
        self.ticks = begin + np.arange(n + 1) * TICK
        self.feet = np.zeros((0, n + 1, 3, 2))
        self.radius, self.level, self.human = np.zeros(0), np.zeros(0), np.zeros(0, bool)

    def admit(self, actor: Actor, between_people: float) -> bool:
        """Keep the actor, or return False if it would come too close to another one on its level."""
        span = np.flatnonzero((self.ticks >= actor.start) & (self.ticks <= actor.end))
        feet = np.full((len(self.ticks), 3, 2), np.nan)
        feet[span] = actor.discs(self.ticks[span])
        radius, human = actor.look.width / 2, actor.class_id == PERSON
        same = np.flatnonzero(self.level == actor.level)
        gap = np.where(self.human[same] & human, between_people, GAP) + self.radius[same] + radius
        offsets = self.feet[same][:, span][:, :, :, None] - feet[span][None, :, None]
        if (np.hypot(*np.moveaxis(offsets, -1, 0)) < gap[:, None, None, None]).any():
            return False
        self.feet, self.radius = np.concatenate([self.feet, feet[None]]), np.append(self.radius, radius)
        self.level, self.human = np.append(self.level, actor.level), np.append(self.human, human)
        return True


class World:
    """A street and its timetable of actors.

    Args:
        seed: of everything.
        seconds: end of the timetable; it begins `warm_s` seconds before 0.
        busy: vehicles and people per second that try to enter.
        quiet: (begin, end) stretches in seconds without any actor.
        bridge: its lanes, 0 for a footbridge, None for no bridge; "any" draws two or none.
        between_people: least distance in pixels between two people.
    """

    def __init__(
        self,
        seed: int,
        seconds: float,
        busy: tuple[float, float],
        *,
        warm_s: float = 20.0,
        quiet: tuple[tuple[float, float], ...] = (),
        bridge: int | Literal["any"] | None = "any",
        between_people: float = CROWDED,
    ) -> None:
        rng = np.random.default_rng([seed, 7])
        dx, dy = (int(v) for v in rng.integers(-7, 8, 2))
        self._noise = rng.normal(0, 1, (H + 64, W + 64, 3)).astype(np.float32)
        self._light, self._quiet = (dx, dy), quiet
        self.street = Street(rng, self._light, bridge)
        self.actors = self._timetable(rng, -warm_s, seconds, busy, between_people)

    def _timetable(
        self,
        rng: np.random.Generator,
        begin: float,
        end: float,
        busy: tuple[float, float],
        between_people: float,
    ) -> list[Actor]:
        """Let vehicles and people enter at random moments where there is room for them."""
        admitted: list[Actor] = []
        footprints = _Footprints(begin, end)
        moments = [
            (moment, human)
            for human, rate in enumerate(busy)
            for moment in rng.uniform(begin, end - 0.5, int(rate * (end - begin)))
        ]
        for moment, human in sorted(moments):
            class_id = PERSON if human else pick_vehicle(rng)
            actor = make_actor(rng, self.street, self._light, len(admitted) + 1, class_id, moment)
            disturbs = any(actor.start < until and actor.end > since for since, until in self._quiet)
            if not disturbs and footprints.admit(actor, between_people):
                admitted.append(actor)
        return admitted

    def render(self, time: float, index: int = 0, grain: float = 2.0) -> tuple[np.ndarray, Truth]:
        """Frame and truth at `time` seconds; `index` varies the camera noise, `grain` is its strength."""
        canvas, deck = _Canvas(self.street.ground), self.street.deck
        here = [a for a in self.actors if a.start <= time <= a.end]
        shown = []
        for level in (0, 1):
            if level and deck is not None:
                canvas.picture[:, deck.columns][deck.mask] = deck.picture[deck.mask]
                canvas.owner[:, deck.columns][deck.mask] = 0
            southwards = sorted((a for a in here if a.level == level), key=lambda a: float(a.at(time)[0][1]))
            for actor in southwards:
                position, sprite = actor.sprite(time)
                canvas.put(sprite, position[0], position[1], actor.actor_id)
                shown.append((actor, position, sprite))
        for x, y, crown in self.street.trees:
            canvas.put(crown, x, y, 0)
        oy, ox = np.random.default_rng(index).integers(0, 64, 2)
        canvas.picture += self._noise[oy : oy + H, ox : ox + W] * grain
        return np.clip(canvas.picture, 0, 255).astype(np.uint8), self._truth(shown, canvas.owner)

    def _truth(self, shown: list[tuple[Actor, np.ndarray, Sprite]], owner: np.ndarray) -> Truth:
        counts = np.bincount(owner.ravel(), minlength=len(self.actors) + 1)
        rows = []
        for actor, position, sprite in shown:
            seen = counts[actor.actor_id]
            if seen >= SEEN * sprite.count:
                box = np.clip(sprite.extent + np.tile(np.round(position).astype(int), 2), 0, [W, H, W, H])
                rows.append((actor.actor_id, actor.class_id, box, seen / sprite.count))
        ids, class_ids, boxes, visible = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Truth(
            np.array(ids, int),
            np.array(class_ids, int),
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(visible, np.float32),
        )


def clip(seed: int, seconds: float = 25.0, fps: int = 25) -> Iterator[tuple[np.ndarray, Truth]]:
    """Every frame of one clip with its truth; nobody is in the picture in the `QUIET` stretches."""
    world = World(seed, seconds, (3.2, 5.0), warm_s=0, quiet=QUIET, bridge=0, between_people=APART)
    for i in range(int(seconds * fps)):
        yield world.render(i / fps, i)


def training(seed: int, count: int = 14) -> Iterator[tuple[np.ndarray, Truth]]:
    """`count` moments of one world, varied: density, light, contrast, noise, blur, JPEG, mirror, colours."""
    rng = np.random.default_rng([seed, 11])
    vehicles, people = rng.uniform(0.6, 4.5, 2)
    world = World(seed, 14.0, (vehicles, people))
    for _ in range(count):
        frame, truth = world.render(float(rng.uniform(-4, 14)), int(rng.integers(1 << 30)), rng.uniform(0, 5))
        frame = _retouch(rng, frame)
        if rng.random() < 0.5:
            frame, boxes = frame[:, ::-1], truth.boxes
            truth.boxes = np.stack([W - boxes[:, 2], boxes[:, 1], W - boxes[:, 0], boxes[:, 3]], 1)
        if rng.random() < 0.2:
            frame = frame[..., rng.permutation(3)]
        yield frame, truth


def _retouch(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    """What a cheap camera does to a picture: blur, JPEG blocks, another contrast and brightness."""
    picture = Image.fromarray(frame)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.3)))
    if rng.random() < 0.6:
        stored = BytesIO()
        picture.save(stored, "JPEG", quality=int(rng.integers(35, 92)))
        picture = Image.open(stored).convert("RGB")
    table = np.clip(np.arange(256) * rng.uniform(0.75, 1.25) + rng.uniform(-18, 18), 0, 255)
    return table.astype(np.uint8)[np.asarray(picture)]
