"""Files of a finished run that a test changes, as if the run had been made with them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

__all__ = ["relisted"]


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
