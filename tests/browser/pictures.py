"""Pictures for the documents, which tests take where `PAGE_SCREENSHOTS=1` asks for them."""

from __future__ import annotations

import os
from pathlib import Path

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WANTED = os.environ.get("PAGE_SCREENSHOTS") == "1"
