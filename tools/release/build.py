"""Build what a release consists of, of the last commit, into dist/: the same bytes wherever and whenever it is done.

    python -m tools.release.build [--cyclonedx PROGRAM]        (`make release` brings all that it needs)

The wheel, the sdist, all that `docker build` needs as one archive, the bill of materials of requirements.lock (CycloneDX), and
SHA256SUMS of them.
"""

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from tools.release.tree import ROOT, git, refuse_changes

CYCLONEDX = ROOT / ".venv" / "tools" / "bin" / "cyclonedx-py"
BUILDERS = ("hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
EARLIEST = 315532800  # 1980: a zip knows no earlier time


def run(words: list[str | Path], folder: Path, **variables: str) -> None:
    """A program that says something only where it fails."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{words[0]}: exit code {done.returncode}")


def export(folder: Path) -> None:
    """The files of the last commit, without those that git ignores or does not know."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def refuse_other_tools() -> None:
    """What writes wheel and sdist is of the locked versions, or another machine would write other bytes."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    other = [f"{name} {version(name)}" for name in BUILDERS if f"\n{name}=={version(name)} " not in lock]
    if other:
        sys.exit(f"not of requirements.lock: {', '.join(other)}; run make release")


def python_packages(source: Path, out: Path, epoch: int) -> None:
    """Wheel and sdist, by the locked hatchling of this interpreter."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", out]
    run(words, source, SOURCE_DATE_EPOCH=str(epoch))


def bill_of_materials(source: Path, out: Path, cyclonedx: Path) -> None:
    """What a run installs, with hashes; written by the locked cyclonedx-py."""
    if not cyclonedx.exists():
        sys.exit(f"{cyclonedx} is missing: run make release")
    words = ["requirements", "--output-reproducible", "--of", "JSON", "--pyproject", "pyproject.toml"]
    run([cyclonedx.absolute(), *words, "-o", out, "requirements.lock"], source)


def ignored(rules: str, path: str) -> bool:
    """Whether a .dockerignore keeps a file out: the last rule that names it or a folder above it decides.

    >>> ignored("*\\n!src\\n**/__pycache__", "src/a.py"), ignored("*\\n!src\\n**/__pycache__", "src/__pycache__/a.pyc")
    (False, True)
    """
    out = False
    for line in rules.splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = re.escape(rule.lstrip("!").strip("/"))
        pattern = pattern.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        if re.fullmatch(rf"{pattern}(?:/.*)?", path):
            out = not rule.startswith("!")
    return out


def copied(dockerfile: str) -> Iterator[str]:
    """What a Dockerfile copies out of its context.

    >>> list(copied("COPY a.toml b.md ./\\nCOPY --from=build /opt /opt\\nCOPY src src\\n"))
    ['a.toml', 'b.md', 'src']
    """
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        yield from line.split()[:-1]


def context(source: Path) -> list[Path]:
    """Files that `docker build` is given, the Dockerfile first; each is copied, and each that is copied is there."""
    rules = (source / ".dockerignore").read_text("utf-8")
    named = set(copied((source / "Dockerfile").read_text("utf-8")))
    found = [
        path.relative_to(source)
        for path in sorted(source.rglob("*"))
        if path.is_file() and not ignored(rules, path.relative_to(source).as_posix())
    ]
    unused = [path for path in found if named.isdisjoint({path.as_posix(), *map(str, path.parents)})]
    lacking = [name for name in named if not any(Path(name) in (path, *path.parents) for path in found)]
    if unused or lacking:
        sys.exit(f"Dockerfile and .dockerignore differ: {[*map(str, unused), *lacking]}")
    return [Path("Dockerfile"), Path(".dockerignore"), *found]


def image_context(source: Path, out: Path, epoch: int) -> None:
    """`docker build - < FILE` makes the image."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in context(source):
            content = (source / path).read_bytes()
            entry = tarfile.TarInfo(path.as_posix())
            entry.size, entry.mtime, entry.mode = len(content), epoch, 0o644
            archive.addfile(entry, io.BytesIO(content))
    out.write_bytes(gzip.compress(held.getvalue(), mtime=epoch))


def sums(folder: Path) -> str:
    """What `sha256sum --check` reads."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())
    )


def build(out: Path, cyclonedx: Path) -> None:
    """Everything into a folder that takes the place of the former one once all is there."""
    refuse_changes()
    refuse_other_tools()
    epoch = max(int(git("log", "-1", "--format=%ct")), EARLIEST)
    with tempfile.TemporaryDirectory() as temporary:
        source, made = Path(temporary, "source"), Path(temporary, "made")
        source.mkdir()
        made.mkdir()
        export(source)
        python_packages(source, made, epoch)
        (wheel,) = made.glob("*.whl")
        name = "-".join(wheel.name.split("-")[:2])
        bill_of_materials(source, made / f"{name}.cdx.json", cyclonedx)
        image_context(source, made / f"{name}-image.tar.gz", epoch)
        (made / "SHA256SUMS").write_text(sums(made), "utf-8")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(made, out)
    sys.stdout.write((out / "SHA256SUMS").read_text("utf-8"))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--cyclonedx", type=Path, default=CYCLONEDX)
    build(ROOT / "dist", asked.parse_args().cyclonedx)
