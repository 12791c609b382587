"""Stages: pure folds over the records of one stream."""
