"""`sightline datasets`: what there is, bring one, check one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from sightline.cli import values
from sightline.cli.bringing import agreed, show
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.cli.exits import DONE, FAILED
from sightline.errors import Misconfigured
from sightline.setup import archives, datasets

__all__ = ["app"]

app = App(name="datasets", help="Datasets: list, get, verify.", help_epilogue=epilogue("datasets"))

Name = Annotated[str, Parameter(help="Name of the dataset.", show_default=False, completer=values.datasets)]
DEFAULT = next(iter(datasets.KNOWN.values())).folder


@app.command(name="list")
@command()
def list_(console: Console) -> None:
    """List the datasets that are known, and whether they are in this folder."""
    rows = [
        (
            each.name,
            each.licence,
            "yes" if datasets.is_there(each.folder) else "no",
            str(each.folder),
            each.page,
        )
        for each in datasets.KNOWN.values()
    ]
    console.rows(("name", "licence", "here", "folder", "page"), rows)


@app.command
@command(
    option("from_", str | None, None, "Archive that is here already.", "--from"),
    option("url", str | None, None, "Address of the archive."),
    option("to", str | None, None, f"Folder that it goes to. [default: {DEFAULT}]"),
    option("yes", bool, False, "Agree to the download without being asked.", "--yes", "-y", negative=""),
)
def get(
    console: Console,
    name: Name,
    /,
    *,
    from_: str | None = None,
    url: str | None = None,
    to: str | None = None,
    yes: bool = False,
) -> None:
    """Bring a dataset: what is known of its licence is shown, its files are checked; what broke off goes on."""
    dataset = datasets.dataset_of(name)
    folder = dataset.folder if to is None else Path(to)
    if from_ is not None and url is not None:
        raise Misconfigured("--from and --url: name one of them", code="usage")
    console.note(f"{dataset.title}: licence: {dataset.licence}; from {dataset.page}")
    if datasets.is_there(folder):
        console.note(f"{folder}: it is there already")
    else:
        if url is not None and not yes and not agreed(f"Download {dataset.title} from {url}?"):
            raise Misconfigured(f"{name} was not brought: agree with --yes", code="consent")
        quiet = console.quiet or console.no_progress
        datasets.bring(dataset, folder, None if from_ is None else Path(from_), url, None if quiet else show)
    _print(console, folder)


@app.command
@command()
def verify(
    console: Console,
    path: Annotated[
        str, Parameter(help=f"Folder, or archive. [default: {DEFAULT}]", show_default=False)
    ] = str(DEFAULT),
    /,
) -> int:
    """Look at every sequence of a dataset, or compare every file of an archive with its checksum."""
    if Path(path).is_file():
        contents = archives.test(Path(path))
        facts = {"path": path, "files": len(contents.members), "sequences": contents.sequences}
        console.object({**facts, "bytes": contents.bytes, "state": "OK"})
        console.result(f"{path}: OK, {contents.sequences} sequences, {len(contents.members)} files")
        return DONE
    found = datasets.verify(Path(path))
    rows = [
        (each.name, each.problem or "OK", each.frames, each.expected, "yes" if each.annotated else "no")
        for each in found
    ]
    console.rows(("sequence", "state", "frames", "documented", "annotated"), rows)
    return FAILED if any(each.problem for each in found) else DONE


def _print(console: Console, folder: Path) -> None:
    found = datasets.verify(folder)
    frames = sum(each.frames for each in found)
    console.object({"path": str(folder), "sequences": len(found), "frames": frames})
    console.result(f"{folder}: {len(found)} sequences, {frames} frames")
