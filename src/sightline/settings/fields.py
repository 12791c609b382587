"""How an option is written down: once, with its meaning, default, kind and flags."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Options", "field"]


def field(
    kind: Literal["result", "clock", "machine"],
    default: Any,
    description: str,
    *flags: str,
    says: str | None = None,
    example: Any = None,
    **bounds: Any,
) -> Any:
    """A field of options.

    Args:
        kind: whether it is part of the run key, changes what tells the time, or changes no byte.
        default: see there.
        description: one sentence for help, the settings file and the reference.
        flags: of the command line, where they are not the field's name.
        says: what the default is called, where it is no value.
        example: a value, where there is no default to show.
        bounds: see `pydantic.Field`.
    """
    extra: dict[str, Any] = {"kind": kind}
    if flags:
        extra["flags"] = list(flags)
    if says is not None:
        extra["says"] = says
    if example is not None:
        bounds["examples"] = [example]
    return Field(default, description=description, json_schema_extra=extra, **bounds)


class Options(BaseModel):
    """Options never change once they are read, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)
