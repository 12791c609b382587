"""What happens to a cluster on its bad days, in short; by hand: `python -m tests.cluster.chaos --events 200 --jobs 20`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cluster.chaos import run
from tests.servers.programs import Missing


@pytest.mark.timeout(1800)  # a dozen processes and servers come up again and again
def test_whatever_is_killed_every_job_has_the_bytes_of_one_machine():
    """Processes, services, broker, database and object store; every frame is accounted for in every file."""
    with TemporaryDirectory(prefix="chaos-") as folder:
        try:
            wrong = run(Path(folder), events=12, jobs=6, seed=12)
        except Missing as lack:
            if os.environ.get("CI"):
                pytest.fail(f"CI must have it: {lack}")
            pytest.skip(f"needs servers: {lack}")
    assert not wrong
