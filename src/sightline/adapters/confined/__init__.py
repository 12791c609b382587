"""Decoding of files that strangers sent: in a process that can read one file, and do nothing else."""
