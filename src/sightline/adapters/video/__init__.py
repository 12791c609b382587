"""Frames of a video file: PyAV decodes, the index says where."""
