"""Every test here fails where an event loop is held up."""

import gc

import pytest

from tests.contract.serving import OPEN, Client, World, watch_callbacks


@pytest.fixture(autouse=True)
def free_loop(monkeypatch):
    """No callback of an event loop is long, whatever a test asks."""
    found = watch_callbacks(monkeypatch)
    gc.disable()  # a collection walks over all that pytest holds, at any place
    yield
    gc.enable()
    while OPEN:
        OPEN.pop().close()
    assert found == []


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world) -> Client:
    return world.client()
