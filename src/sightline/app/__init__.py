"""Composition root of `track` and `detect`: names concrete classes and puts stages, workers and adapters together.

Modules are imported where they are used, so that `sightline --help` loads no engine.
"""
