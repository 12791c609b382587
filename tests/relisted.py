"""Files of a finished run that a test changes, as if the run had been made with them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from sightline.camera import CameraPath
from sightline.formats import camera_bin

__all__ = ["CAMERA", "panned", "relisted"]

CAMERA = "segments/camera.bin"


def relisted(folder: Path, name: str, blob: bytes | None = None) -> None:
    """Change a file, or remove it, and make run.json agree."""
    path, listed = folder / name, folder / "run.json"
    run = json.loads(listed.read_bytes())
    if blob is None:
        path.unlink()
        del run["files"][name]
    else:
        path.write_bytes(blob)
        run["files"][name] = {"bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}
    listed.write_text(json.dumps(run))


def panned(folder: Path, step: float = 0.25, stretch: int = 0) -> CameraPath:
    """Make its camera go so many pixels a frame to the right; the second half may be another stretch."""
    frames = json.loads((folder / "run.json").read_bytes())["frames"]["sampled"]
    maps = np.tile((1.0, 0.0, 0.0, 0.0), (frames, 1))
    maps[:, 2] = -step * np.arange(frames)
    path = CameraPath(maps, np.where(np.arange(frames) < frames // 2, 0, stretch))
    relisted(folder, CAMERA, camera_bin.encode(path))
    return path
