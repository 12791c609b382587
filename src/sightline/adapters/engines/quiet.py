"""Quiet imports: inference engines without what they note, and tell their makers, when they are imported.

| package | on import it would | what keeps it from that |
|---|---|---|
| openvino | write a user id and a count into the home folder, send an event to Google Analytics | `openvino_telemetry` is not found; OpenVINO brings a stand-in that does nothing |
| onnxruntime | write a device id and a database into the home folder, send events to Microsoft | its variable, read when it is loaded |
| ultralytics | look up two hosts, write settings into the home folder | its variables; settings go where they are gone again |

A variable that the user has set stays as it is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

__all__ = ["load"]

_ABSENT = object()
_importing = threading.Lock()


def load(name: str) -> Any:
    """Import a package of the table above, or any other, and keep it quiet; later imports of it find this one.

    Raises:
        ImportError: it is not installed.
    """
    with _importing:
        if name == "openvino":
            with _not_found("openvino_telemetry"):
                return import_module(name)
        if name == "ultralytics":
            _set_unless_set(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
            with _passing_folder("YOLO_CONFIG_DIR"):
                return import_module(name)
        if name == "onnxruntime":
            _set_unless_set(ORT_DISABLE_TELEMETRY="1", ORT_TELEMETRY_DISABLED="1")  # it had either name
        return import_module(name)


def _set_unless_set(**variables: str) -> None:
    for name, value in variables.items():
        os.environ.setdefault(name, value)


@contextmanager
def _not_found(package: str) -> Iterator[None]:
    """A package that import statements do not find meanwhile; whoever wants it for itself can have it afterwards."""
    found = sys.modules.get(package, _ABSENT)
    sys.modules[package] = None  # type: ignore[assignment]  # the import system's word for "not there"
    try:
        yield
    finally:
        if found is _ABSENT:
            del sys.modules[package]
        else:
            sys.modules[package] = found  # type: ignore[assignment]


@contextmanager
def _passing_folder(variable: str) -> Iterator[None]:
    """A variable that names a folder for as long as this lasts, unless the user has named one."""
    if variable in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        os.environ[variable] = folder
        try:
            yield
        finally:
            del os.environ[variable]
