"""Scoring: files of tracks against files of ground truth."""
