"""How a camera moved between two pictures; see `sightline.camera`."""

from sightline.camera import IDENTITY, Motion

__all__ = ["IDENTITY", "Motion"]
