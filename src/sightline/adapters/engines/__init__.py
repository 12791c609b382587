"""Inference engines, one vendor a file: which one runs a model, how precise, and how its slots are filled."""
