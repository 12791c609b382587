"""Tracking metrics: HOTA, CLEAR, identity, counts."""
