"""Composition root: names concrete classes and puts stages, workers and adapters together.

What the edges call: `track.track`, `recount.count_run`, `render.render_run`, `verify.verify`, `run.load`. Modules are
imported where they are used, so that `sightline --help` loads no engine.
"""
