"""Copies of a data folder, made while its service runs, and data folders made of them."""
