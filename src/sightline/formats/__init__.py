"""File formats: bytes in, bytes out."""
