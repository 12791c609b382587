"""Make a release of the tree: its version, and the notes in `changes/` as its section of the changelog. Nothing is committed.

python -m tools.release.prepare VERSION DATE        (as 1.2.0 2026-12-01)
"""

import re
import sys
from datetime import date

from tools.release.changelog import KINDS, PAGE, changelog, notes, released
from tools.release.tree import ROOT, refuse_changes

NUMBER = r"\d+\.\d+\.\d+"
# Where the version stands: the package says it, and a Dockerfile and manifests cannot ask there.
PLACES = {
    "src/sightline/__init__.py": rf'(?m)^(__version__ = "){NUMBER}(")$',
    "Dockerfile": rf'(image\.version="){NUMBER}(")',
    "deploy/kubernetes/production/kustomization.yaml": rf"(newTag: ){NUMBER}(\}})",
    "docs/how-to/kubernetes.md": rf"(newTag: ){NUMBER}(\}})",
}
NEXT = """\
version {version}; now
  make .venv/.dev && .venv/bin/python tools/docs/reference.py
  look at the changes, run the tests, commit, tag v{version}
  make release
"""


def number(version: str) -> tuple[int, ...]:
    """A version that can be compared."""
    if not re.fullmatch(NUMBER, version):
        sys.exit(f"{version!r} is no version: three numbers, as 1.2.0")
    return tuple(map(int, version.split(".")))


def check(version: str, day: str) -> None:
    """Refuse what would be no release."""
    refuse_changes()
    try:
        date.fromisoformat(day)
    except ValueError:
        sys.exit(f"{day!r} is no date: as 2026-12-01")
    (present,) = re.findall(
        rf'(?m)^__version__ = "({NUMBER})"$', (ROOT / "src/sightline/__init__.py").read_text()
    )
    if number(version) < number(present) or any(number(version) <= number(each) for each in released()):
        sys.exit(f"{version} is not greater than what there is: {', '.join([present, *released()])}")
    if not any(map(notes, KINDS)):
        sys.exit("nothing has changed: there is no note in changes/")


def main(version: str, day: str) -> None:
    check(version, day)
    for name, pattern in PLACES.items():
        path = ROOT / name
        text, found = re.subn(pattern, rf"\g<1>{version}\g<2>", path.read_text("utf-8"))
        if found != 1:
            sys.exit(f"{name} says its version {found} times")
        path.write_text(text, "utf-8")
    PAGE.write_text(changelog(f"{version}, {day}"), "utf-8")
    for kind in KINDS:
        for path in notes(kind):
            path.unlink()
    sys.stdout.write(NEXT.format(version=version))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
