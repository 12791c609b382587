"""The founding documents' own sequences on the services of docker-compose.yaml: every command, with its variables, run here."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cluster.founding import FRAMES, SEQUENCE
from tests.deploy.sequences import system_a, system_b
from tests.servers.programs import Missing

pytestmark = pytest.mark.timeout(1200)


def seen(sequence):
    """What a client saw; in a folder that the database's own user may enter."""
    with TemporaryDirectory(prefix="compose-") as folder:
        try:
            return sequence(Path(folder))
        except Missing as lack:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"this machine lacks a server: {lack}")


def test_system_a_as_its_document_starts_it():
    """Start a sequence, read the CSV files and the table."""
    found = seen(system_a)

    assert found["texts"] == {name: f"{name} is running!" for name in found["texts"]}
    assert len(found["texts"]) == 6
    assert (found["status"], found["answer"]["status"]) == (200, f"Sent {FRAMES} frames from {SEQUENCE}.")
    assert len(found["rows"]) == FRAMES
    assert list(found["rows"][0]) == ["timestamp", "num_cars", "num_people"]
    assert [row[:2] for row in found["frames"]] == [(f"frame_{n:05d}", SEQUENCE) for n in range(FRAMES)]


def test_system_b_as_its_document_starts_it():
    """Upload, result; to clean up, an admin is asked for, as the container listens to all."""
    found = seen(system_b)

    assert [row["frame"] for row in found["result"]["prediction"]] == list(range(0, 625, 5))
    assert found["listed"]["total"] == 1
    assert {port: json.loads(body)["status"] for port, body in found["health"].items()} == {
        "runner": "ok",
        "inference": "ok",
    }
    assert found["cleaned"] == (403, "forbidden")
