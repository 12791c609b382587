"""Sources: what users name, opened: indexed, hashed, with its detector and the recipe that follows from the settings."""
