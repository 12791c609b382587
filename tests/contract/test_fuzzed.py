"""The whole OpenAPI document, asked with what it allows and what it does not (Schemathesis): no 5xx but those that say so,
no answer that is not documented. `python -m tests.contract.test_fuzzed 200` asks more often.
"""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[2]
CHECKS = "no_unstated_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@contextmanager
def fuzzed():
    """The service in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.contract.fuzzed"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def ask(examples: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask each operation so often. What removes everything, and what has no end, are left to their own tests."""
    with fuzzed() as port:
        url = f"http://127.0.0.1:{port}/api/v1/openapi.json"
        command = [Path(sys.executable).with_name("schemathesis"), "run", url, "--checks", CHECKS]
        command += [
            "-n",
            str(examples),
            "--phases",
            "examples,fuzzing",
            "--exclude-operation-id",
            "cleanup_all",
            "--exclude-operation-id",
            "watch_jobs",
        ]
        command += ["--request-timeout", "20", "--no-color", "--seed", "1"]
        given = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.contract.fuzzed", "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, env=given, cwd=folder, check=False)


def test_every_answer_is_one_that_is_documented(tmp_path):
    """A few hundred requests."""
    done = ask(8, tmp_path)

    assert done.returncode == 0, done.stdout[-8000:]


if __name__ == "__main__":
    done = ask(int(sys.argv[1]), Path(os.environ.get("TMPDIR", "/tmp")))
    sys.stdout.write(done.stdout)
    sys.exit(done.returncode)
