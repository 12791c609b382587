"""Clock times in the names of images: `20240517120059.jpg`, `IMG_20240517_120059_123.png`, `1715947259.jpg`.

A name holds a date and a time of day, or seconds, milliseconds, microseconds or nanoseconds since 1970; decimals behind a
point have any length. All names of a
folder must hold one, in the same place and the same form, or none is believed. Names know no time zone: only the
distances between them count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby, pairwise

__all__ = ["NameTimes", "name_times", "odd_one"]

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# Microseconds between two images; frames that are counted behind a date are 1 apart.
_SHORTEST = 1_000
# Share of the names that may hold no time where the others are worth a word.
_FEW = 0.1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = r"(?<!\d)(?P<year>(?:19|20)\d\d){d}(?P<month>\d\d){d}(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d){t}(?P<minute>\d\d){t}(?P<second>\d\d)"
_FRACTION = r"(?:[.,](?P<decimals>\d{1,9})|[_-]?(?P<fraction>\d{9}|\d{6}|\d{3}))?(?!\d)"
_FORMS = tuple(
    re.compile(text)
    for text in (
        # 20240517120059, 20240517_120059_123, 20240517T120059.123456
        _DATE.format(d="") + r"[ T_.-]?" + _TIME.format(t="") + _FRACTION,
        # 2024-05-17_12-00-59, 2024_05_17-12_00_59.123, 2024-05-17T12:00:59, 2024-05-17 at 12.00.59
        _DATE.format(d="[-_.]") + r"(?:[ T_.-]{1,3}| at )" + _TIME.format(t="[-_.:h]") + _FRACTION,
        # 2024-05-17_120059
        _DATE.format(d="[-_.]") + r"[ T_.-]{1,3}" + _TIME.format(t="") + _FRACTION,
        # 240517120059
        r"(?<!\d)(?P<short>[0-4]\d)(?P<month>\d\d)(?P<day>\d\d)" + _TIME.format(t="") + r"(?!\d)",
        # 17-05-2024_12-00-59
        r"(?<!\d)(?P<day>\d\d)[-_.](?P<month>\d\d)[-_.](?P<year>(?:19|20)\d\d)[ T_.-]{1,3}"
        + _TIME.format(t="[-_.:h]")
        + _FRACTION,
        # 202405171200: to the minute
        _DATE.format(d="") + r"(?P<hour>\d\d)(?P<minute>\d\d)(?!\d)",
        # 20240517, 2024-05-17: nothing else, to the day
        r"^" + _DATE.format(d="[-_.]?") + r"$",
    )
)
# Since 1970, from 2001 to 2096: digits, and those of a second's fraction.
_SINCE_1970 = re.compile(
    r"(?<!\d)(?P<whole>[1-3]\d{9})(?:[.,](?P<decimals>\d{1,9})|_?(?P<fraction>\d{9}|\d{6}|\d{3}))?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class NameTimes:
    """Clock times of images.

    Attributes:
        order: which of the names comes first, second ...
        pts_us: microseconds from the first image on, strictly rising, in that order.
        shared: images that share their time with another one; they are spread evenly.
        unit: what the names tell apart: `day`, `minute`, `second` or parts of it, for people.
    """

    order: tuple[int, ...]
    pts_us: tuple[int, ...]
    shared: int
    unit: str


def name_times(stems: Sequence[str]) -> NameTimes | None:
    """The times that names give, None where they give none.

    Args:
        stems: names of images without their endings, in the order that their numbers give.
    """
    for form in (*_FORMS, _SINCE_1970):
        found = [_clock(form, stem) for stem in stems]
        known = [each for each in found if each is not None]
        one_unit = len({unit for _, unit, _ in known}) == 1 or not any(_counts(form, stem) for stem in stems)
        if len(known) == len(stems) and len(known) > 1 and one_unit:
            clocks, unit = [clock for clock, _, _ in known], min(unit for _, unit, _ in known)
            if len({place for _, _, place in known}) == 1 and _is_clock(sorted(set(clocks)), unit):
                return _spread(clocks, unit)
    return None


def odd_one(stems: Sequence[str]) -> int | None:
    """Place of the first name that holds no time of a form that nearly all others hold; None where there is none."""
    for form in (*_FORMS, _SINCE_1970):
        without = [place for place, stem in enumerate(stems) if _clock(form, stem) is None]
        if 0 < len(without) <= _FEW * len(stems):
            return without[0]
    return None


def _is_clock(clocks: list[int], unit: int) -> bool:
    """Whether different times are those of a clock: what looks like the parts of a second may count the frames."""
    if unit >= _SECOND:
        return len(clocks) > 1
    steps = sorted(b - a for a, b in pairwise(clocks))
    return len({clock // _SECOND for clock in clocks}) > 1 and steps[(len(steps) - 1) // 2] > _SHORTEST


def _counts(form: re.Pattern[str], stem: str) -> bool:
    """Whether digits behind the second may be a number: those behind a point are decimals, of any length."""
    match = form.search(stem)
    return match is not None and match.groupdict().get("fraction") is not None


def _clock(form: re.Pattern[str], stem: str) -> tuple[int, int, int] | None:
    """Microseconds since 1970, the microseconds that the name can tell apart, and where in the name they stand."""
    match = form.search(stem)
    if match is None:
        return None
    parts = match.groupdict()
    fraction = parts.get("fraction") or parts.get("decimals")
    below = 0 if fraction is None else round(int(fraction) * 10 ** (6 - len(fraction)))
    if "whole" in parts:
        return int(parts["whole"]) * _SECOND + below, _unit(fraction), match.start()
    year, month, day, hour, minute, second = (
        int(parts.get(name) or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    year = 2000 + int(parts["short"]) if "short" in parts else year
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    unit = _unit(fraction) if "second" in parts else 60 * _SECOND if "minute" in parts else _DAY
    return (moment - _EPOCH) // timedelta(microseconds=1) + below, unit, match.start()


def _unit(fraction: str | None) -> int:
    return _SECOND if fraction is None else max(1, _SECOND // 10 ** len(fraction))


def _spread(clocks: list[int], unit: int) -> NameTimes:
    """Rising times: images that share one are spread evenly over the unit that their names can tell apart.

    The first and the last unit before and after a pause are seldom whole: there images are as far apart as in the
    fullest units.
    """
    order = sorted(range(len(clocks)), key=lambda row: (clocks[row], row))
    groups = [(clock, len(list(rows))) for clock, rows in groupby(clocks[row] for row in order)]
    times = {clock for clock, _ in groups}
    usual = Counter(count for _, count in groups).most_common(1)[0][0]
    spread: list[int] = []
    for clock, count in groups:
        early, late = clock - unit not in times, clock + unit not in times
        slots = max(count, usual) if early != late else count
        first = slots - count if early and not late else 0
        spread += [clock + (first + number) * unit // slots for number in range(count)]
    rising = list(accumulate(spread, lambda before, time: max(before + 1, time)))
    shared = sum(count for _, count in groups if count > 1)
    names = {_DAY: "day", 60 * _SECOND: "minute", _SECOND: "second"}
    name = names.get(unit, f"{unit} microseconds")
    return NameTimes(tuple(order), tuple(time - rising[0] for time in rising), shared, name)
