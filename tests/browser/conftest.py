"""A real browser before a real service. Skipped, loudly, where there is no Chromium; in CI that is an error."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.serving.service import Service

NEEDED = os.environ.get("PAGE_TESTS") == "needed"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio")
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 375, "height": 740}


@pytest.fixture(scope="package")
def chromium():
    """The browser, started once. It ends with these tests: while it is there, no other test can run an event loop."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        assert not NEEDED, "chromium is missing, and this run needs it"
        pytest.skip("chromium is missing: no test of the page in a browser ran")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A fresh tab of 1440 x 900, which fails its test where a script of the page does, or anything is refused by its policy."""
    context = chromium.new_context(viewport=WIDE)
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on(
        "console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None
    )
    yield tab
    context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """`sightline serve` with the bundled model, for a module."""
    served = Service(tmp_path_factory.mktemp("browser") / "data").start()
    yield served
    served.stop()


@pytest.fixture(scope="session")
def street():
    """The bundled clip: 25 s of a street, 25 frames a second."""
    return Path(__file__).parents[2] / "src" / "sightline" / "demo" / "street.mp4"


def address(service, path="/"):
    """Where a page of the service is."""
    return f"http://127.0.0.1:{service.ports['api']}{path}"
