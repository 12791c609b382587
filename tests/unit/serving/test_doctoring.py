"""What `sightline doctor` says of a service: each thing that its settings name, and what to do about it."""

import shutil
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from sightline.cli.console import as_flag
from sightline.serving import doctoring
from sightline.serving.doctoring import checks_of
from sightline.serving.folder import RESTORING, store_of
from sightline.settings import ServeOptions
from sightline.setup.doctor import check


def found(**given):
    """What is said of each thing, and whether it will do."""
    checks = checks_of(ServeOptions.model_validate(given))
    return {name: check(name, run, as_flag)[1:] for name, run in checks.items()}


def test_a_folder_that_is_to_be_made_will_do(tmp_path):
    """Nothing is made of it."""
    said = found(data=tmp_path / "data")

    assert all(ok for ok, _ in said.values())
    assert "to be made" in said["data folder"][1]
    assert not (tmp_path / "data").exists()


def test_a_service_that_is_there_is_described(tmp_path):
    with closing(store_of(tmp_path / "data", make=True)):
        pass

    ok, said = found(data=tmp_path / "data")["store"]

    assert ok
    assert "no service runs on it" in said


def test_a_folder_in_whose_place_a_file_lies(tmp_path):
    (tmp_path / "data").write_text("")

    ok, said = found(data=tmp_path / "data")["data folder"]

    assert not ok
    assert "is no folder: name another one with --data" in said


def test_a_store_of_another_program(tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as other:
        other.execute("CREATE TABLE mine (x)")

    ok, said = found(data=tmp_path)["store"]

    assert not ok
    assert "a database of another program" in said


def test_a_folder_that_is_half_restored(tmp_path):
    (tmp_path / RESTORING).write_text("backup-1.json")

    ok, said = found(data=tmp_path)["store"]

    assert not ok
    assert "run it again" in said


def test_a_disk_without_room(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 10**8))

    ok, said = found(data=tmp_path)["data folder"]

    assert not ok
    assert "0.3 GB are free" in said


def test_a_folder_of_another_machine(tmp_path, monkeypatch):
    """SQLite cannot lock there: two services would write at once."""
    monkeypatch.setattr(doctoring, "_filesystem", lambda path: "nfs4")

    ok, said = found(data=tmp_path)["store"]

    assert not ok
    assert "on nfs4, where SQLite cannot lock" in said


def test_the_file_system_of_a_folder_is_the_innermost_one():
    """`/proc` is mounted in `/`."""
    assert doctoring._filesystem(doctoring.Path("/proc/self")) == "proc"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("database", "does not answer"),
        ("kafka", "localhost:1"),
        ("objects", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_server_that_is_not_there_is_named(name, says, tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    pytest.importorskip("confluent_kafka")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    shared = {"ledger": "postgres", "kafka": "localhost:1", "postgres": "postgresql://me@localhost:1/jobs"}
    checks = checks_of(
        ServeOptions.model_validate({"data": tmp_path, **shared, "objects": "s3", "s3_bucket": "videos"})
    )

    _, ok, said = check(name, checks[name], as_flag)

    assert not ok
    assert says in said
