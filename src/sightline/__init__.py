"""Sightline: video in; detections, tracks and counts out. Never loses or invents a frame."""

__version__ = "0.1.0"
