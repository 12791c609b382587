"""Commands as they are known before their sources are read."""

from sightline.runs.roots import Command, Traits


def command(**keys: str) -> Command:
    """A command of sources with these run keys, all of one size; no other source has the times of another key."""
    first = next(iter(keys))
    return Command(first, keys[first], {name: Traits(1, key) for name, key in keys.items()}, keys.__getitem__)
