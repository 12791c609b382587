"""What a count says of frames in which it could not follow its lines and zones."""

from dataclasses import replace

from sightline.counts import Unplaced
from sightline.formats.counts_json import plain
from sightline.formats.timeline import alone, joined
from sightline.formats.unplaced import UnplacedSpan, unplaced

from . import counted

LOST = replace(counted.counts(), unplaced=(Unplaced(("north",), 5, 12), Unplaced(("yard",), 20, 30)))


def test_frames_and_times_are_those_of_the_video():
    """To the end of the last frame where they could not be followed any more."""
    assert list(unplaced(alone(counted.job(), LOST))) == [
        UnplacedSpan("street", ("north",), 15, 1.5, 2.2),
        UnplacedSpan("street", ("yard",), 30, 3.0, 4.0),
    ]


def test_times_of_joined_videos_are_those_of_the_axis():
    """Frames are those of the file."""
    second = counted.job(video_id="later", clock_start=None)

    found = list(unplaced(joined([(counted.job(), counted.counts()), (second, LOST)], [None, None])))

    assert found[0] == UnplacedSpan("later", ("north",), 15, 4.5, 5.2)


def test_counts_as_json_say_so():
    """Only where there is something to say."""
    assert plain(alone(counted.job(), LOST))["unplaced"] == [
        {"video_id": "street", "names": ("north",), "frame": 15, "start_s": 1.5, "end_s": 2.2},
        {"video_id": "street", "names": ("yard",), "frame": 30, "start_s": 3.0, "end_s": 4.0},
    ]
    assert "unplaced" not in plain(alone(counted.job(), counted.counts()))
