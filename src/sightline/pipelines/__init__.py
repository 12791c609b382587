"""Bundled pipelines, a TOML file each; `sightline.pipeline` reads them."""
