"""Frames of a folder of images."""
