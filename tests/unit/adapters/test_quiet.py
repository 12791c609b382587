"""Engines are imported without what they would note and tell; the real ones are watched in `test_offline`."""

import os
import sys

import pytest

from sightline.adapters.engines import quiet

NOSY = """
import os, pathlib
folder = pathlib.Path(os.environ["YOLO_CONFIG_DIR"]) / "Ultralytics"
folder.mkdir()
(folder / "settings.json").write_text("{}")
offline = os.environ["YOLO_OFFLINE"]
"""
CURIOUS = """
try:
    import openvino_telemetry
except ImportError:
    openvino_telemetry = None
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Stand-ins for packages that need not be installed here, or are loaded already."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("YOLO_CONFIG_DIR", "YOLO_OFFLINE", "YOLO_AUTOINSTALL", "YOLO_VERBOSE"):
        monkeypatch.setenv(name, "before")  # so that it is put back afterwards
        monkeypatch.delenv(name)

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write


def test_settings_of_ultralytics_go_where_they_are_gone_again(packages):
    """It also believes to be offline."""
    packages("ultralytics", NOSY)

    module = quiet.load("ultralytics")

    assert module.offline == "true"
    assert not module.folder.exists()
    assert "YOLO_CONFIG_DIR" not in os.environ


def test_a_folder_that_the_user_named_is_used(packages, tmp_path, monkeypatch):
    """And stays named."""
    packages("ultralytics", NOSY)
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))

    quiet.load("ultralytics")

    assert (tmp_path / "Ultralytics" / "settings.json").exists()
    assert os.environ["YOLO_CONFIG_DIR"] == str(tmp_path)


def test_openvino_does_not_find_its_telemetry_and_others_do(packages):
    """Only while it is imported is that package hidden."""
    packages("openvino_telemetry", "")
    packages("openvino", CURIOUS)

    module = quiet.load("openvino")
    import openvino_telemetry

    assert module.openvino_telemetry is None
    assert openvino_telemetry is sys.modules["openvino_telemetry"]


def test_telemetry_that_was_imported_before_is_hidden_too(packages):
    """And is there again afterwards."""
    packages("openvino_telemetry", "")
    packages("openvino", CURIOUS)
    import openvino_telemetry as before

    assert quiet.load("openvino").openvino_telemetry is None
    assert sys.modules["openvino_telemetry"] is before


def test_a_package_that_is_not_there_is_an_import_error(packages):
    """As without it."""
    packages("openvino", "import nothing_of_this_name")

    with pytest.raises(ImportError, match="nothing_of_this_name"):
        quiet.load("openvino")
    assert sys.modules.get("openvino_telemetry", "absent") is not None
