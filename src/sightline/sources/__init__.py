"""Sources: what users name, indexed and hashed, and the recipe that follows from it and the settings."""
