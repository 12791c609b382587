"""Pure algorithms on arrays: boxes, preprocessing, sampling, tracking, refinement, counting, geometry. No I/O."""
