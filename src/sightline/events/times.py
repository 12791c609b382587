"""Moments as text, as records and tables of older systems have them: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["clock", "moment", "since_epoch"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def clock(microseconds: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC, always with six decimals.

    Years end at 9999: a time beyond is the last one that can be said.

    >>> clock(1_500_000)
    '1970-01-01T00:00:01.500000+00:00'
    >>> clock(2**62)
    '9999-12-31T23:59:59.999999+00:00'
    """
    return _time(microseconds).isoformat(timespec="microseconds")


def moment(microseconds: int) -> str:
    """The same as system B has it: in whole seconds, begun ones, and with a `Z`.

    >>> moment(1_704_110_400_999_999)
    '2024-01-01T12:00:00Z'
    """
    return _time(microseconds).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def since_epoch(text: str) -> int:
    """Microseconds since 1970 of ISO 8601; without an offset it is UTC.

    Raises:
        ValueError: it is none.

    >>> since_epoch("2024-01-01T12:00:00Z"), since_epoch("1970-01-01T01:00:01.5+01:00")
    (1704110400000000, 1500000)
    """
    time = datetime.fromisoformat(text)
    return ((time if time.tzinfo is not None else time.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(microseconds, _FIRST), _LAST))
