"""Composition root: names concrete classes and puts stages, workers and adapters together."""
