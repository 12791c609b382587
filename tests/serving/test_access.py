"""`sightline serve` and who may ask it: tokens that are made while it runs, addresses that others reach."""

import json
import subprocess
import sys
import time

import pytest

from tests.serving.service import Service

WITHIN_S = 2.0


def sightline(*words):
    """A command as an operator gives it."""
    command = [sys.executable, "-m", "sightline", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "data").start()
    yield service
    service.kill()


def test_tokens_hold_within_two_seconds_of_a_service_that_runs(service):
    """Made and removed on its folder, by another process."""
    assert service.get("/api/status/all")[0] == 200

    made = sightline("tokens", "add", "anna", "--scope", "read", "--data", str(service.data))
    time.sleep(WITHIN_S)
    asked = {"Authorization": f"Bearer {made.stdout.strip()}"}
    without = service.get("/api/status/all")
    known = service.get("/api/status/all", **asked)
    changed = service.ask("DELETE", "/api/cleanup/all", headers=asked)
    health = [service.get("/health", port)[0] for port in service.ports]
    removed = sightline("tokens", "rm", "anna", "--data", str(service.data))
    time.sleep(WITHIN_S)

    assert (made.returncode, removed.returncode) == (0, 0)
    assert (without[0], json.loads(without[1])["code"]) == (401, "unauthorized")
    assert (known[0], changed[0], json.loads(changed[1])["code"]) == (200, 403, "forbidden")
    assert health == [200] * len(service.ports)
    assert service.get("/api/status/all")[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_nobody_is_let_in_from_elsewhere_without_a_token(tmp_path, host):
    """It does not start, and says how to make one."""
    data = str(tmp_path / "data")
    ports = ("--api-port", "0", "--runner-port", "0", "--inference-port", "0", "--generator-port", "0")

    done = sightline("serve", "--data", data, "--host", host, "--model", "sightline-tiny", *ports)

    assert done.returncode == 2
    assert f"sightline tokens add NAME --scope admin --data {data}" in done.stderr
    assert "--no-auth" in done.stderr


def test_an_address_that_is_not_this_machines(tmp_path):
    """TEST-NET-1: nobody's."""
    done = sightline("serve", "--data", str(tmp_path / "data"), "--host", "192.0.2.1", "--api-port", "0")

    assert done.returncode == 2
    assert "--host 192.0.2.1: no address of this machine" in done.stderr


def test_off_the_loopback_every_port_asks(tmp_path):
    """With a token it starts, and answers whoever has it."""
    data = tmp_path / "data"
    text = sightline("tokens", "add", "root", "--scope", "admin", "--data", str(data)).stdout.strip()
    service = Service(data, "--host", "0.0.0.0").start()
    try:
        assert service.get("/api/status/all")[0] == 401
        assert service.get("/api/status/all", Authorization=f"Bearer {text}")[0] == 200
        assert service.get("/api/status/all", Host="evil.example", Authorization=f"Bearer {text}")[0] == 403
    finally:
        service.kill()


def test_settings_of_a_file_hold(tmp_path):
    """And one that nobody knows keeps it from starting."""
    config = tmp_path / "mine.toml"
    config.write_text("[serve]\nprot = 9\n")

    done = sightline("serve", "--config", str(config), "--data", str(tmp_path / "data"))

    assert done.returncode == 2
    assert "mine.toml: serve.prot: unknown key" in done.stderr
