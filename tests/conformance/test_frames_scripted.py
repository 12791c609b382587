"""The scripted reader of `sightline.testing` keeps the contract of `FrameReader`."""

import pytest

from sightline.testing import ScriptedReader
from tests.conformance.suite_frames import FrameReaderSuite


class TestScripted(FrameReaderSuite):
    @pytest.fixture
    def open_reader(self):
        return lambda: ScriptedReader(60, group=12, failed=(7, 30))

    @pytest.fixture
    def missing_reader(self):
        return None
