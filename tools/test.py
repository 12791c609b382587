"""All tests, in two halves at the same time: those that start servers and browsers wait most of their time.

usage: python tools/test.py [options of pytest]

The second half computes and no more, at a lower priority; its output follows that of the first, but for the names of tests that
fail, which both halves say at once. Exit code 1 where either fails.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPUTE = ("tests/laws", "tests/meta", "tests/model", "tests/page", "tests/quality", "tests/unit", "src")
NICER = 10


def halves() -> tuple[list[str], list[str]]:
    """What waits, and what computes: together every folder of tests."""
    folders = sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").iterdir() if path.is_dir()
    )
    return [name for name in folders if name not in COMPUTE], [
        name for name in COMPUTE if (ROOT / name).is_dir()
    ]


def main() -> int:
    waits, computes = halves()
    pytest = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    with tempfile.TemporaryFile() as said:
        other = subprocess.Popen(
            [*pytest, *computes], cwd=ROOT, stdout=said, preexec_fn=lambda: os.nice(NICER)
        )
        try:
            codes = [subprocess.call([*pytest, *waits], cwd=ROOT), other.wait()]
        finally:
            other.kill()
            other.wait()
        said.seek(0)
        sys.stdout.flush()
        for line in said:
            sys.stdout.buffer.write(line)
        sys.stdout.flush()
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
