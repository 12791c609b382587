"""Pictures with something drawn on them: shapes, overlays of a run, annotated video."""
