"""What a query says of a count: which objects, at which lines, in which bins."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from sightline.api.problems import invalid
from sightline.api.v1.result_models import FilterBody
from sightline.errors import Misconfigured
from sightline.formats.count_bins import parse_bins

__all__ = ["Bins", "Classes", "MinConfidence", "MinHits", "Names", "check_bins", "filter_of", "words"]

WORDS = 100
Bins = Annotated[
    str | None, Query(max_length=20, description="15m, 30s, 1h: on the clock; without it one bin for all.")
]
Classes = Annotated[str | None, Query(max_length=4096, description="Labels or groups, with commas; all.")]
MinConfidence = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)]
MinHits = Annotated[int | None, Query(ge=1, le=100_000)]
Names = Annotated[
    str | None, Query(max_length=4096, description="Names of lines and zones, with commas; all.")
]


def filter_of(classes: str | None, min_confidence: float, min_hits: int | None) -> FilterBody:
    """The filter of a query.

    Raises:
        Problem: 422: too many classes, or one that is too long.
    """
    chosen = words("classes", classes) or []
    return FilterBody(classes=chosen, min_confidence=min_confidence, min_hits=min_hits)


def words(field: str, text: str | None) -> list[str] | None:
    """Words with commas between them; None where nothing was said.

    Raises:
        Problem: 422: too many, or one that is too long.
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > WORDS or max(map(len, words), default=0) > WORDS:
        raise invalid((field, f"{WORDS} words of {WORDS} characters are allowed"))
    return words


def check_bins(text: str | None) -> None:
    """Refuse what is no length of a bin.

    Raises:
        Problem: 422.
    """
    try:
        if text is not None:
            parse_bins(text)
    except Misconfigured as error:
        raise invalid(("bins", str(error))) from error
