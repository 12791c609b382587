"""Workers: they own reading, order, de-duplication, state and the commit."""
