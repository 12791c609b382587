"""What people write in files, variables and flags becomes checked values; what is wrong becomes one clear error.

Every unknown key is an error that names the nearest known one: a misspelled threshold must never be ignored.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from sightline.errors import Misconfigured

__all__ = ["checked", "did_you_mean", "machine", "read_toml", "result"]

Model = TypeVar("Model", bound=BaseModel)


def result(default: Any = ..., **details: Any) -> Any:
    """A field that is part of the run key: another value may give other bytes."""
    return Field(default, json_schema_extra={"kind": "result"}, **details)


def machine(default: Any = ..., **details: Any) -> Any:
    """A field that may never change a byte of a result: workers, paths, which files are written."""
    return Field(default, json_schema_extra={"kind": "machine"}, **details)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half sentence that names the nearest known word, or all of them where none is near.

    >>> did_you_mean("trafic", ["traffic", "visdrone"])
    'did you mean traffic?'
    >>> did_you_mean("x", ["traffic", "visdrone"])
    'there are traffic, visdrone'
    """
    words = list(known)
    near = difflib.get_close_matches(word.lower(), [each.lower() for each in words], n=1)
    for each in words:
        if near and each.lower() == near[0]:
            return f"did you mean {each}?"
    return f"there are {', '.join(words)}"


def read_toml(path: Path) -> dict[str, Any]:
    """Keys of a TOML file.

    Raises:
        Misconfigured: it is not there, cannot be read, or is not TOML; names the file and the place.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise Misconfigured(f"{path}: no such file") from error
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error


def checked(model: type[Model], values: Mapping[str, Any], where: Callable[[str], str]) -> Model:
    """`values` as a `model`.

    Args:
        model: pydantic model; unknown keys must be forbidden in it.
        values: by key; nested models as mappings.
        where: how to call a dotted key in a message, e.g. `sightline.toml: tracker.mode`.

    Raises:
        Misconfigured: names each key that is wrong, what it was, and what it should be.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_line(model, details, where) for details in error.errors(include_url=False)]
        raise Misconfigured("\n".join(dict.fromkeys(lines))) from error


def _line(model: type[BaseModel], details: Mapping[str, Any], where: Callable[[str], str]) -> str:
    place = [str(part) for part in details["loc"] if not _is_branch_name(str(part))]
    name = where(".".join(place)) if place else where("").rstrip(": ")
    if details["type"] == "extra_forbidden":
        known = _keys(model, place[:-1])
        return f"{name}: unknown key; {did_you_mean(place[-1], known)}"
    message = details["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    value = details["input"]
    hidden = isinstance(value, Mapping | BaseModel) or details["type"] in ("missing", "secret")
    shown = "" if hidden else f" = {value!r}"
    return f"{name}{shown}: {message}"


def _is_branch_name(part: str) -> bool:
    """Pydantic adds the names of a union's branches and of validators to a key's place: `function-before[...]`."""
    return "[" in part or part in {"int", "str", "float", "bool", "list", "tuple", "constrained-str"}


def _keys(model: type[BaseModel], place: Iterable[str]) -> list[str]:
    """Keys that are known at a place inside a model."""
    at = model
    for part in place:
        if part.isdigit() or part not in at.model_fields:
            continue
        inner = _model_in(at.model_fields[part].annotation)
        at = at if inner is None else inner
    return sorted(at.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, in a tuple, or in a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None
