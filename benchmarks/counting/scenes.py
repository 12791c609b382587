"""Generated traffic and crowds with exact truth: what a camera sees of vehicles, and what a detector makes of it.

One seed is one camera and one state of traffic. `bridge`: from 6 to 9 m above a motorway, pinhole, boxes around the
eight corners of each vehicle, nearer vehicles hide others. `drone`: straight down at 8 to 15 px/m, the road at any
angle. Each lane has one speed from 30 to 130 km/h (trucks up to 90, on the outer lane only); front to front at least a
second plus the vehicle's length, up to free flow. `crowd`: people who walk close together in all directions.

Detections: each edge off by N(0, 2.5 % of the side), 5 to 10 % missed (a third of those below 22 px, root of the area), nothing that is
hidden by more than 0.6; scores 0.3 to 0.95 by size (people 0.85 on average); false boxes of low score anywhere, and for a third of the vehicles
doubles of another class in half of the frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from benchmarks.tracking.suites import Frame
from numpy.typing import NDArray

from sightline.arrays import BoolArray, FloatArray

__all__ = ["FPS", "SIZE", "VIEWS", "Scene", "scene", "vehicles"]

FPS, SECONDS, SIZE = 25, 40, (1280, 720)
CAR, TRUCK, PERSON = 2, 7, 0
LANE_M, HEADWAY_S = 3.6, 1.0
LEAST_PX, SEEN_PX, LEAST_INSIDE, MOST_HIDDEN = 20, 14, 0.6, 0.6
PEOPLE, PERSON_M, WALK_M_S, GROUND_M = 100, (0.55, 1.7), 1.3, (24, 18)


@dataclass(frozen=True)
class Scene:
    """One generated video at 25 frames a second.

    Attributes:
        boxes: true boxes inside the picture, float64 (F, N, 4) xyxy, NaN where nothing of an object is in it.
        visible: bool (F, N), 0.6 of the box in the picture, at most 0.6 hidden, at least 20 px high
            (the detector sees from 14 px and a quarter of the box on).
        frames: what the detector gave.
        line: ends of a line across the road, pixels.
        kmh: float64 (N,), speeds.
        corners: four points of the road, (x, y) in pixels and in metres, (4, 4); None where the view is of no plane.
    """

    boxes: FloatArray
    visible: BoolArray
    frames: list[Frame]
    line: FloatArray
    kmh: FloatArray
    corners: FloatArray | None = None


def scene(view: str, seed: int) -> Scene:
    """The video of a view and a seed."""
    rng = np.random.default_rng([seed, list(VIEWS).index(view)])
    full, nearness, classes, line, kmh, corners = VIEWS[view](rng)
    low = np.clip(full[..., :2], 0, SIZE)
    high = np.clip(full[..., 2:], 0, SIZE)
    boxes = np.concatenate([low, high], 2)
    with np.errstate(invalid="ignore"):
        share = (high - low).prod(2) / (full[..., 2:] - full[..., :2]).prod(2)
        inside = share > 0
        boxes[~inside] = np.nan
        height = boxes[..., 3] - boxes[..., 1]
        free = inside & (_hidden(boxes, nearness) <= MOST_HIDDEN)
        visible = free & (share >= LEAST_INSIDE) & (height >= LEAST_PX)
        seen = free & (share >= 0.25) & (height >= SEEN_PX)
    often = rng.random(boxes.shape[1]) < (0 if view == "crowd" else 1 / 3)
    frames = [_detected(rng, at, boxes[at], seen[at], classes, often) for at in range(len(boxes))]
    return Scene(boxes, visible, frames, line, kmh, corners)


def _hidden(boxes: FloatArray, nearness: FloatArray) -> FloatArray:
    """Largest share of each box that one nearer object covers, (F, N)."""
    out = np.zeros(boxes.shape[:2])
    for at, (here, near) in enumerate(zip(boxes, nearness, strict=True)):
        rows = np.flatnonzero(~np.isnan(here[:, 0]))
        if len(rows) < 2:
            continue
        a = here[rows]
        low = np.maximum(a[:, None, :2], a[None, :, :2])
        high = np.minimum(a[:, None, 2:], a[None, :, 2:])
        cover = np.maximum(high - low, 0).prod(2) / (a[:, 2:] - a[:, :2]).prod(1)[:, None]
        cover[near[rows][:, None] >= near[rows][None]] = 0
        out[at, rows] = cover.max(1)
    return out


def _detected(rng, at: int, boxes: FloatArray, seen: BoolArray, classes, often: BoolArray) -> Frame:
    """Boxes, scores and classes that a detector gives for one frame, the surest first."""
    size = boxes[:, 2:] - boxes[:, :2]
    with np.errstate(invalid="ignore"):
        height = np.nan_to_num(np.sqrt(size.prod(1)))
        missed = np.where(height < 22, 1 / 3, np.interp(height, [22, 80], [0.10, 0.05]))
    found = np.flatnonzero(seen & (rng.random(len(boxes)) >= missed))
    twice = found[often[found] & (rng.random(len(found)) < 0.5)]
    middle = np.interp(height, [14, 40, 120], [0.8, 0.85, 0.9] if classes[0] == PERSON else [0.4, 0.65, 0.85])
    sure = np.clip(middle + rng.normal(0, 0.1, len(height)), 0.3, 0.95)
    false = rng.poisson(0.4 if len(classes) else 0)
    parts = [
        boxes[rows] + rng.normal(0, 0.025, (len(rows), 4)) * np.tile(size[rows], 2) for rows in (found, twice)
    ]
    middle, side = rng.uniform([0, 0], SIZE, (false, 2)), rng.uniform(15, 120, (false, 2))
    parts.append(np.hstack([middle - side / 2, middle + side / 2]))
    scores = np.concatenate(
        [sure[found], sure[twice] * rng.uniform(0.4, 0.9, len(twice)), rng.uniform(0.05, 0.35, false)]
    )
    other = np.where(classes[twice] == CAR, TRUCK, CAR)
    kinds = np.concatenate([classes[found], other, np.full(false, classes[0])])
    order = np.argsort(-scores, kind="stable")
    return Frame(
        np.concatenate(parts)[order], scores[order], kinds[order].astype(np.int64), round(at * 1e6 / FPS)
    )


def vehicles(rng, length_m: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Vehicles on a straight road of `length_m`: place of the front along it and the middle across it in metres,
    (F, N) each; their sizes (N, 3) length, width, height; and the road's breadth. The two directions have 2 or 3
    lanes each, the right ones go away (along rises)."""
    lanes, gap, along, across, sizes = rng.integers(2, 4), rng.uniform(1.5, 4), [], [], []
    seconds = np.arange(SECONDS * FPS) / FPS
    state, wait = rng.uniform(30, 130, 2), rng.uniform(0.2, 4)
    for side in (1, -1):
        for lane in range(lanes):  # 0 is the inner, fast one
            outer = lane == lanes - 1
            speed = np.clip(state[(side + 1) // 2] * (1 - 0.08 * lane), 30, 90 if outer else 130) / 3.6
            start = -rng.uniform(0, 3)
            while start < SECONDS:
                truck = outer and rng.random() < 0.3
                size = rng.normal(
                    (13.5, 2.5, 3.7) if truck else (4.5, 1.8, 1.5),
                    (1.5, 0.03, 0.15) if truck else (0.4, 0.06, 0.1),
                )
                travelled = (seconds - start) * speed
                sway = 0.15 * np.sin(0.5 * seconds + rng.uniform(0, 6))
                along.append(travelled if side > 0 else length_m - travelled + size[0])
                across.append(side * (gap / 2 + LANE_M * (lane + 0.5)) + sway)
                sizes.append(size)
                start += HEADWAY_S + size[0] / speed + rng.exponential(wait)
    return np.array(along).T, np.array(across).T, np.array(sizes), np.array(gap + 2 * LANE_M * lanes)


def _kinds(sizes: FloatArray) -> NDArray[np.int64]:
    return np.where(sizes[:, 0] > 8, TRUCK, CAR)


def _kmh(along: FloatArray) -> FloatArray:
    """Speeds (N,) of vehicles that drive on evenly, by their places (F, N) in metres."""
    return 3.6 * FPS * np.abs(along[1] - along[0])


def _bridge(rng):
    """Boxes (F, N, 4) and nearness (F, N) from a bridge; classes; a line across the road."""
    height, focal, first, last = rng.uniform(6, 9), rng.uniform(900, 1300), rng.uniform(10, 16), 170.0
    along, across, sizes, breadth = vehicles(rng, last)
    shift = rng.uniform(-0.25, 0.25) * breadth
    pitch = np.arctan2(height, first) - np.arctan2(SIZE[1] / 2, focal)  # the lower edge sees `first`

    def pixel(x, y, z):
        """Metres to the right, ahead and up of the road below the camera, in pixels."""
        ahead, up = (
            np.cos(pitch) * y - np.sin(pitch) * (z - height),
            np.sin(pitch) * y + np.cos(pitch) * (z - height),
        )
        ahead = np.maximum(ahead, 0.5)
        return SIZE[0] / 2 + focal * x / ahead, SIZE[1] / 2 - focal * up / ahead

    corners = [
        pixel(
            across - shift + right * sizes[:, 1] / 2,
            np.maximum(along - back * sizes[:, 0], 1.0),
            np.broadcast_to(up * sizes[:, 2], along.shape),
        )
        for right in (-1, 1)
        for back in (0, 1)
        for up in (0, 1)
    ]
    points = np.array(corners)  # (8, 2, F, N)
    full = np.moveaxis(np.concatenate([points.min(0), points.max(0)]), 0, -1)
    full[(along < first * 0.5) | (along > last)] = np.nan
    y = pixel(0.0, rng.uniform(30, 45), 0.0)[1]
    line = np.array([[0.0, y], [SIZE[0], y]])
    near, far = first + 5, first + 45
    ends = [(-breadth / 2, near), (breadth / 2, near), (breadth / 2, far), (-breadth / 2, far)]
    corners = np.array([(*pixel(x - shift, y, 0.0), x, y) for x, y in ends])
    return full, -along, _kinds(sizes), line, _kmh(along), corners


def _drone(rng):
    """The same from straight above, the road at any angle."""
    scale, angle = rng.uniform(8, 15), rng.uniform(0, 2 * np.pi)
    reach = float(np.hypot(*SIZE)) / scale
    along, across, sizes, _ = vehicles(rng, reach)
    ahead, right = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    centre = (along - sizes[:, 0] / 2 - reach / 2)[..., None] * ahead + across[..., None] * right
    half = (sizes[:, :1] * np.abs(ahead) + sizes[:, 1:2] * np.abs(right)) / 2
    middle = centre * scale + np.array(SIZE) / 2
    full = np.concatenate([middle - half * scale, middle + half * scale], 2)
    full[(along < -20) | (along > reach + 20)] = np.nan
    line = np.array(SIZE) / 2 + np.outer([-1, 1], right) * 0.4 * np.hypot(*SIZE)
    reach = np.array([(-20, -10), (20, -10), (20, 10), (-20, 10)])  # metres
    corners = np.hstack((reach @ np.array([ahead, right]) * scale + np.array(SIZE) / 2, reach))
    return full, np.zeros(along.shape), _kinds(sizes), np.clip(line, 0, SIZE), _kmh(along), corners


def _crowd(rng):
    """People seen from a first floor: dense, every one with a direction that turns slowly; they turn at the edges."""
    n, frames = PEOPLE, SECONDS * FPS
    place, heading = rng.uniform([0, 0], GROUND_M, (n, 2)), rng.uniform(0, 2 * np.pi, n)
    speed, tall = rng.normal(WALK_M_S, 0.2, n).clip(0.5), rng.normal(1, 0.07, n)
    out = np.empty((frames, n, 4))
    nearness = np.empty((frames, n))
    for at in range(frames):
        heading += rng.normal(0, 0.04, n)
        place += np.column_stack([np.cos(heading), np.sin(heading)]) * speed[:, None] / FPS
        wrong = (place < 0) | (place > GROUND_M)
        heading = np.where(wrong[:, 0], np.pi - heading, np.where(wrong[:, 1], -heading, heading))
        place = place.clip(0, GROUND_M)
        scale = np.interp(place[:, 1], [0, GROUND_M[1]], [28, 55])
        x, y = (
            SIZE[0] / 2 + (place[:, 0] - GROUND_M[0] / 2) * scale,
            np.interp(place[:, 1], [0, GROUND_M[1]], [70, 700]),
        )
        w, h = PERSON_M[0] * scale, PERSON_M[1] * scale * tall
        out[at] = np.column_stack([x - w / 2, y - h, x + w / 2, y])
        nearness[at] = y
    line = np.array([[0.0, 400.0], [SIZE[0], 400.0]])
    return out, nearness, np.full(n, PERSON), line, 3.6 * speed, None


VIEWS: dict[str, Callable] = {"bridge": _bridge, "drone": _drone, "crowd": _crowd}
