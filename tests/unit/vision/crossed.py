"""Tracks of objects that stand on given points, and what counting says of them."""

from sightline.vision.geometry import crossings

from .made_tracks import frame_table, rows, table


def standing(track_id, points, size=(4, 6)):
    """A track of boxes that stand on these points (the middle of the lower edge), frame by frame."""
    made = []
    for seq, (x, y) in enumerate(points):
        made += rows(track_id, [seq], lambda _, x=x, y=y: (x, y - size[1] / 2), size=size)
    return made


def crossed(tracks, lines=(), zones=(), labels=None, size=(100, 100), fps=10):
    """Events of tracks, at ten frames a second: five frames are half a second."""
    frames = frame_table(int(tracks.seq.max()) + 1 if len(tracks) else 1, fps)
    return crossings(frames, tracks, lines, zones, *size, {1: "car"} if labels is None else labels, "cars")


def events(points, lines=(), zones=(), size=(100, 100), fps=10, box=(4, 6)):
    """Events of one track that stands on these points."""
    return crossed(table(standing(1, points, box)), lines, zones, size=size, fps=fps)
