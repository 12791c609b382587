"""What every command has: the flags of output, and errors that become one line and an exit code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.errors import SightlineError

__all__ = ["command", "option"]

OUTPUT = Group("Output", sort_key=9)


def option(
    name: str, kind: Any, default: Any, help: str, *flags: str, group: Group | None = None, **more: Any
) -> inspect.Parameter:
    """A flag as a parameter of a command's signature."""
    names = flags or (f"--{name.replace('_', '-')}",)
    if group is not None:
        more["group"] = group
    details = Parameter(name=names, help=help, show_default=False, **more)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, details]
    )


SHARED = [
    option("json", bool, False, "Result as JSON: one object, or a line per item.", group=OUTPUT, negative=""),
    option(
        "quiet",
        bool,
        False,
        "Results and errors only: no progress, notes or warnings.",
        "--quiet",
        "-q",
        group=OUTPUT,
        negative="",
    ),
    option("verbose", bool, False, "Say more.", "--verbose", "-v", group=OUTPUT, negative=""),
    option("no_progress", bool, False, "Show no progress.", group=OUTPUT, negative=""),
    option(
        "color",
        Literal["auto", "always", "never"],
        "auto",
        "Colour: auto is on a terminal only; NO_COLOR and FORCE_COLOR are obeyed. [default: auto]",
        group=OUTPUT,
    ),
]


def command(*extra: inspect.Parameter) -> Callable[[Callable[..., int | None]], Callable[..., int]]:
    """Make a command of a function that takes a `Console` first and may return an exit code.

    Args:
        extra: more flags; the function gets those that were given, under their names.
    """

    def make(function: Callable[..., int | None]) -> Callable[..., int]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        named = {parameter.name for parameter in extra}
        kept = [
            each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD and each.name not in named
        ]

        @wraps(function)
        def run(*args: Any, **given: Any) -> int:
            console = Console(**{shared.name: given.pop(shared.name, shared.default) for shared in SHARED})
            try:
                code = function(console, *args, **given)
            except SightlineError as error:
                return console.error(error)
            return DONE if code is None else code

        parameters = [*kept, *extra, *SHARED]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return make
