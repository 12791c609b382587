"""What may stand in the path of a request."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

__all__ = ["ANYTHING"]

ANYTHING = "anything"
"""Name of the convertor."""


class _Anything(Convertor[str]):
    """Whatever stands in a path, ends of lines too: the convertor `path` leaves those to the 404."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor(ANYTHING, _Anything())
