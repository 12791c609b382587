"""Every test here fails where an event loop is held up."""

import gc

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
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


@pytest.fixture(params=["memory", "embedded"])
def world(request, tmp_path):
    """Over memory, and over the file and the folder that `serve` has."""
    if request.param == "memory":
        yield World()
        return
    store = SqliteStore(tmp_path / "jobs.db")
    yield World(store=store, notes=store.notes, objects=FolderObjects(tmp_path / "objects"))
    store.close()


@pytest.fixture
def client(world) -> Client:
    return world.client()
