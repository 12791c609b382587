"""Flags of a run, made from the options: their names, help, defaults and variables are written once, there."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sightline.cli.command import option
from sightline.cli.values import COMPLETERS
from sightline.settings import Loaded, LoadedServe, about, flags_of, load, load_serve, variable

__all__ = ["CONFIG", "SOURCES", "option_keys", "parameters", "read", "read_serve"]

RESULT = Group("What is computed", sort_key=1)
MACHINE = Group("Where and how", sort_key=2)
METAVARS: Mapping[Any, str] = {
    int: "INT",
    float: "FLOAT",
    Path: "PATH",
    Fraction: "RATE",
    timedelta: "DURATION",
    datetime: "TIME",
}

CONFIG = option(
    "config",
    str | None,
    None,
    "Settings file. [default: ./sightline.toml, where there is one]",
    group=MACHINE,
)
SOURCES = Annotated[
    str,
    Parameter(
        help="Video file, folder of videos or of images, dataset root, pattern, or text of detections (MOT, VisDrone, KITTI).",
        show_default=False,
        negative=(),
    ),
]


def option_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted keys of a model of options, and their fields."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from option_keys(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def parameters(
    model: type[BaseModel], prefix: str = "", of: tuple[str, ...] = ("",), says: str = ""
) -> list[inspect.Parameter]:
    """A flag for each option, and `--config`. What is not given stays None: then other sources decide.

    Args:
        model: of the options.
        prefix: of their keys.
        of: only those whose names begin with one of these.
        says: what holds where nothing is given, if that is no source of settings; then there is no `--config`.
    """
    keys = [each for each in option_keys(model, prefix) if each[0].removeprefix(prefix).startswith(of)]
    made = [_parameter(key, field, says) for key, field in keys]
    return made if says else [*made, CONFIG]


def read(given: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Loaded:
    """Settings of a command from the flags that were given, the environment and the files.

    Raises:
        Misconfigured: an unknown key, or a value out of its range; names flag, variable or file.
    """
    return load(**_sources(given, env))


def read_serve(given: Mapping[str, Any], env: Mapping[str, str] | None = None) -> LoadedServe:
    """Settings of a service, as `read` has those of a run.

    Raises:
        Misconfigured: an unknown key, or a value out of its range; names flag, variable or file.
    """
    return load_serve(**_sources(given, env))


def _sources(given: Mapping[str, Any], env: Mapping[str, str] | None) -> dict[str, Any]:
    config = given.get("config")
    return {
        "flags": {
            _key(name): value for name, value in given.items() if name != "config" and value is not None
        },
        "config": None if config is None else Path(config),
        "env": os.environ if env is None else env,
        "folder": Path.cwd(),
    }


def _parameter(key: str, field: FieldInfo, says: str = "") -> inspect.Parameter:
    extra = field.json_schema_extra
    group = MACHINE if isinstance(extra, dict) and extra["kind"] == "machine" else RESULT
    description, default = about(key)
    text = f"{description} [default: {says or f'{default}] [env: {variable(key)}'}]"
    kind = _kind(field)
    names = flags_of(key)
    off = kind == bool | None and not names[0].startswith("--no-")
    # `-` is a value of --out alone; elsewhere a flag without its value must not swallow the next one.
    dash = key == "out"
    return option(
        key.replace(".", "__"),
        kind,
        None,
        text,
        *names,
        group=group,
        negative=_negative(key) if off else (),
        allow_leading_hyphen=dash,
        metavar=_metavar(field.annotation),
        completer=COMPLETERS.get(key.removeprefix("serve.")),
    )


def _key(name: str) -> str:
    return name.replace("__", ".")


def _metavar(annotation: Any) -> str | None:
    """What help calls the value; None where the parser knows."""
    if annotation in METAVARS:
        return METAVARS[annotation]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _metavar(get_args(annotation)[0])
    if origin not in (Union, UnionType):
        return None
    inner = [part for part in get_args(annotation) if part is not type(None)]
    if Path in inner:  # words, or else a file
        words = [word for part in inner for word in get_args(part)]
        return "|".join([*map(str, words), METAVARS[Path]])
    return "SIZE" if len(inner) > 1 else _metavar(inner[0])


def _negative(key: str) -> str:
    """Flag that switches off: `--tracker.no-fuse-score`."""
    *branches, leaf = flags_of(key)[0].removeprefix("--").split(".")
    return "--" + ".".join([*branches, f"no-{leaf}"])


def _kind(field: FieldInfo) -> Any:
    """What the parser must know of a field; its value is checked with all others, later."""
    inner = [part for part in get_args(field.annotation) or [field.annotation] if part is not type(None)]
    if inner == [bool]:
        return bool | None
    if get_origin(field.annotation) is tuple or field.annotation == tuple[str, ...]:
        return list[str] | None
    for part in [field.annotation, *inner]:
        if get_origin(part) is Literal:
            words = tuple(str(word) for word in get_args(part))
            return Literal[words] | None
    return str | None
