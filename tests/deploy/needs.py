"""Programs that these tests need of the machine."""

import os

import pytest

from tests.servers.programs import Missing

__all__ = ["need"]


def need(act):
    """What `act` answers; where this machine lacks a tool the test is skipped, unless it is CI's."""
    try:
        return act()
    except Missing as lack:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have it: {lack}")
        pytest.skip(f"needs {lack}")
