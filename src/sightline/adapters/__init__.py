"""Adapters: one vendor a file, the only place where a vendor is named."""
