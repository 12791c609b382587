"""Adapters: vendors, files and the system, one concern a folder; the only place where a vendor is named."""
