"""Turning movements: over which line an object came into a junction, and over which it went out.

A movement goes from the first line that an object crossed inwards to the last one that it crossed outwards afterwards. The
turn is the angle, in the picture, between the way in over the one line and the way out over the other. Where the camera moves
and they were drawn on two frames, it is the picture of the first one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from sightline.camera import IDENTITY, Motion
from sightline.counts import Event, Line, Movement, Movements, Turn
from sightline.vision.ground import Ground

__all__ = ["movements", "turn_of"]

STRAIGHT = 45.0
"""Degrees to either side that are still through."""
BACK = 150.0
"""Degrees from which it is a u-turn: an approach may have one line for the way in and one for the way out."""


def movements(
    events: Iterable[Event], lines: Sequence[Line], size: tuple[int, int], ground: Ground | None = None
) -> Movements:
    """The movements of objects.

    Args:
        events: of a count, by `seq`.
        lines: at which they happened.
        size: width and height of the picture.
        ground: of a camera that moves; None: it stands still.

    Returns:
        Movements by the frame of leaving; and how many objects were only seen to enter, or only to leave.
    """
    by_name = {line.name: line for line in lines}
    crossed: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        if event.kind == "line":
            crossed.setdefault((event.group, event.track_id), []).append(event)
    found, entered_only, left_only = [], 0, 0
    for passed in crossed.values():
        entry = next((event for event in passed if _is_in(event, by_name)), None)
        after = passed if entry is None else passed[passed.index(entry) + 1 :]
        leaving = next((event for event in reversed(after) if not _is_in(event, by_name)), None)
        if entry is None:
            left_only += 1
        elif leaving is None:
            entered_only += 1
        else:
            came, went = by_name[entry.name], by_name[leaving.name]
            # Somebody crossed both, so both have ground in common.
            between = None if ground is None else ground.between(went, came)
            turn = turn_of(came, went, size, between or IDENTITY)
            found.append(
                Movement(
                    entry.group,
                    entry.track_id,
                    entry.label,
                    entry.name,
                    leaving.name,
                    turn,
                    entry.seq,
                    leaving.seq,
                )
            )
    found.sort(key=lambda movement: movement.left_seq)
    return Movements(tuple(found), entered_only, left_only)


def turn_of(entered: Line, left: Line, size: tuple[int, int], between: Motion = IDENTITY) -> Turn:
    """Which turn leads from one line, crossed inwards, to another one, crossed outwards.

    Args:
        entered, left: the lines.
        size: width and height of the picture.
        between: from the picture that `left` was drawn on to that of `entered`.

    >>> south, east = Line("south", (0.6, 0.9), (0.4, 0.9)), Line("east", (0.9, 0.4), (0.9, 0.6))
    >>> turn_of(south, east, (100, 100)), turn_of(east, south, (100, 100))
    ('right', 'left')
    """
    if entered.name == left.name:
        return "u-turn"
    (in_x, in_y), (along_x, along_y) = _inwards(entered, size), _inwards(left, size)
    out_x, out_y = between.turned((-along_x, -along_y))
    # y is down, so a positive angle is clockwise as seen on the screen: to the right.
    angle = math.degrees(math.atan2(in_x * out_y - in_y * out_x, in_x * out_x + in_y * out_y))
    if abs(angle) <= STRAIGHT:
        return "through"
    if abs(angle) >= BACK:
        return "u-turn"
    return "right" if angle > 0 else "left"


def _inwards(line: Line, size: tuple[int, int]) -> tuple[float, float]:
    """Across the line, to the right of a -> b as seen on the screen."""
    (ax, ay), (bx, by) = line.pixels(*size)
    return ay - by, bx - ax


def _is_in(event: Event, lines: Mapping[str, Line]) -> bool:
    return event.direction == lines[event.name].directions[0]
