"""`sightline models`: what there is, bring one, check one, add one of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from sightline import models
from sightline.cli import values
from sightline.cli.bringing import agreed, show
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.errors import Misconfigured
from sightline.validation import did_you_mean

__all__ = ["app"]

app = App(name="models", help="Models: list, get, verify, add.", help_epilogue=epilogue("models"))

Name = Annotated[str, Parameter(help="Name of the model.", show_default=False, completer=values.models)]
Known = Annotated[
    str, Parameter(help="Name of the model.", show_default=False, completer=values.known_models)
]


@app.command(name="list")
@command()
def list_(console: Console) -> None:
    """List every model that has a name, and whether it is here."""
    names = ("name", "licence", "here", "path")
    rows = [
        (model.name, model.licence, "yes" if model.path else "no", str(model.path) if model.path else None)
        for model in models.list_models()
    ]
    console.rows(names, rows)
    for model in models.list_models():
        if model.path is None and not console.json:
            console.note(f"{model.name} is brought by: sightline models get {model.name}")


@app.command
@command(option("yes", bool, False, "Agree to the licence without being asked.", "--yes", "-y", negative=""))
def get(console: Console, name: Known, /, *, yes: bool = False) -> None:
    """Bring a known model: its licence is shown, its hash checked; what broke off goes on."""
    if name not in models.KNOWN:
        raise Misconfigured(
            f"no model {name!r} to get: {did_you_mean(name, models.KNOWN)}", code="model_missing"
        )
    card = models.KNOWN[name]
    console.note(f"{name}: licence {card.licence}, from {card.url}")
    if not yes and not agreed(f"Download {name} and accept its licence?"):
        raise Misconfigured(f"{name} was not brought: agree with --yes", code="consent")
    found = models.get(name, progress=None if console.quiet or console.no_progress else show)
    _print(console, found)


@app.command
@command()
def verify(console: Console, *names: Name) -> None:
    """Compare files with the hashes in their cards: of the models named, or of all that are here."""
    wanted = names or [model.name for model in models.list_models() if model.path is not None]
    rows = []
    for name in wanted:
        found = models.verify(name)
        rows.append((name, "OK", found.sha256))
    console.rows(("name", "state", "sha256"), rows)


@app.command
@command(option("name", str | None, None, "Name for --model. [default: the file's, or its card's]"))
def add(
    console: Console,
    path: Annotated[
        str, Parameter(help="Model file, or folder with one OpenVINO model.", show_default=False)
    ],
    /,
    *,
    name: str | None = None,
) -> None:
    """Copy a model of your own into the cache, with its card, so that --model finds it by name."""
    from sightline.setup.add_model import add_model

    if not Path(path).exists():
        raise Misconfigured(f"{path}: no such file or folder", code="model_missing")
    _print(console, add_model(Path(path), name))


def _print(console: Console, model: models.Model) -> None:
    facts = {
        "name": model.card.name,
        "path": str(model.path),
        "licence": model.card.licence,
        "sha256": model.sha256,
    }
    console.object(facts | {"labels": list(model.card.labels)})
    console.result(f"{model.card.name}: {model.path}")
