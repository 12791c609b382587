"""`sightline version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed

from sightline import __version__
from sightline.cli.command import command
from sightline.cli.console import Console

__all__ = ["version"]


@command()
def version(console: Console) -> None:
    """Print the version; with --verbose those of Python and of every dependency too."""
    console.object({"sightline": __version__, "python": platform.python_version(), **_dependencies()})
    console.result(f"sightline {__version__}")
    if console.verbose:
        for name, found in {"python": platform.python_version(), **_dependencies()}.items():
            console.result(f"{name} {found or 'not installed'}")


def _dependencies() -> dict[str, str | None]:
    """Installed version of each package that Sightline names, extras excepted."""
    names = [line.split(";")[0] for line in requires("sightline") or () if "extra ==" not in line]
    return {name: _version(name) for name in (_plain(name) for name in names)}


def _plain(requirement: str) -> str:
    return next(requirement[:i] for i in range(len(requirement) + 1) if not _in_name(requirement, i)).strip()


def _in_name(requirement: str, i: int) -> bool:
    return i < len(requirement) and (requirement[i].isalnum() or requirement[i] in "-_.")


def _version(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
