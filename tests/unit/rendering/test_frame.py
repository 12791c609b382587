"""One frame of a video, of images or of a run, as a picture to draw on."""

import numpy as np
import pytest
from PIL import Image

import sightline as sl
from sightline.errors import InvalidVideo, Misconfigured, NotFound
from sightline.rendering.frame import Pick, pick_frame, write_image
from sightline.rendering.render import Look
from sightline.runs.shapes import ShapeFiles
from tests.media import number_of, video
from tests.relisted import panned
from tests.unit.scene import BROKEN

LOOK = Look((sl.Line("middle", (0.5, 1.0), (0.5, 0.0)),))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twelve frames, 25 a second."""
    return video(tmp_path_factory.mktemp("clip") / "clip.mp4", 12)


@pytest.mark.parametrize(
    ("pick", "number"),
    [
        (Pick(), 0),
        (Pick(frame=7), 7),
        (Pick(at_us=200_000), 5),
        (Pick(at_us=239_999), 5),
        (Pick(at_us=479_000), 11),
    ],
)
def test_the_frame_that_is_shown_at_a_time(clip, pick, number):
    """Until the next one begins."""
    picked = pick_frame(clip, pick)

    assert number_of(picked.image) == number
    assert (picked.frame, picked.pts_us) == (number, number * 40_000)


@pytest.mark.parametrize(
    ("pick", "message"),
    [
        (Pick(frame=12), "no frame 12; its 12 frames have numbers from 0 to 11"),
        (Pick(frame=-1), "no frame -1"),
        (Pick(at_us=480_000), "nothing at 0.48 s, it lasts 0.480 s"),
    ],
)
def test_a_frame_that_is_not_there_is_told(clip, pick, message):
    """And what there is."""
    with pytest.raises(Misconfigured, match=message):
        pick_frame(clip, pick)


def test_images_have_the_times_of_their_rate(street):
    """A broken one is named."""
    assert number_of(pick_frame(street, Pick(at_us=400_000)).image) == 12
    assert BROKEN == 50
    with pytest.raises(InvalidVideo, match="frame 50 cannot be decoded"):
        pick_frame(street, Pick(frame=BROKEN))


def test_a_run_shows_its_tracks(finished, street):
    """On the frame of its source; a frame that broke is said to be broken."""
    plain, tracked = (pick_frame(path, Pick(frame=100)).image for path in (street, finished.path))

    assert plain.shape == tracked.shape
    assert 0.01 < np.mean(plain != tracked) < 0.9
    assert np.array_equal(tracked, pick_frame(finished.path.parent, Pick(frame=100)).image)


def test_lines_of_a_camera_that_moved_are_seen_where_they_are(run_copy):
    """Half a pixel a frame to the left, and nowhere else."""
    panned(run_copy, 0.5)
    before, after = (pick_frame(run_copy, Pick(frame=100, look=look)).image for look in (Look(), LOOK))

    changed = (before != after).any(axis=2).mean(axis=0)

    assert changed[28:33].max() > 0.5  # 80 - 100 / 2
    assert changed[60:].max() == 0


def test_lines_are_seen_where_they_will_count(clip):
    """Along the middle, and nowhere else."""
    plain, drawn = (pick_frame(clip, Pick(look=look)).image for look in (Look(), LOOK))

    changed = (plain != drawn).any(axis=2)
    assert changed[:, 78:82].any(axis=1).all()
    assert not changed[:, :20].any()


def test_lines_of_another_video_are_not_drawn(clip, tmp_path):
    """A file says for which video its elements are; `render` and `count` obey it too."""
    file = tmp_path / "lines.json"
    file.write_text(
        '[{"name": "middle", "a": [0.5, 1], "b": [0.5, 0], "video": "clip"},'
        ' {"name": "left", "a": [0.1, 1], "b": [0.1, 0], "video": "elsewhere"}]'
    )

    drawn = pick_frame(clip, Pick(shapes=ShapeFiles([str(file)], []))).image

    assert np.array_equal(drawn, pick_frame(clip, Pick(look=LOOK)).image)


def test_a_line_on_the_grid_is_seen(clip):
    """The middle is a line of the grid too."""
    image = pick_frame(clip, Pick(look=LOOK, grid=True)).image

    assert np.array_equal(image[60, 79:81], pick_frame(clip, Pick(look=LOOK)).image[60, 79:81])


def test_a_grid_has_lines_and_numbers(clip):
    """On the same frame."""
    plain, with_grid = (pick_frame(clip, Pick(grid=grid)) for grid in (False, True))

    assert 0.05 < np.mean(plain.image != with_grid.image) < 0.9
    assert (plain.frame, plain.pts_us) == (with_grid.frame, with_grid.pts_us)


def test_a_text_alone_has_no_picture(tmp_path):
    """Its run has a canvas with the boxes."""
    text = tmp_path / "det.txt"
    text.write_text("".join(f"{frame},-1,{10 + frame},20,30,40,0.9\n" for frame in range(1, 21)))
    run = sl.track(text, out=tmp_path / "out", size="160x96")

    with pytest.raises(Misconfigured, match="track it, then name its run folder"):
        pick_frame(text, Pick())
    picked = pick_frame(run.path, Pick(frame=10))

    assert picked.image.shape == (96, 160, 3)
    assert len(np.unique(picked.image.reshape(-1, 3), axis=0)) > 3


def test_what_is_not_there_is_said(tmp_path):
    """As the other commands say it."""
    with pytest.raises(NotFound, match=r"no\.mp4"):
        pick_frame(tmp_path / "no.mp4", Pick())


def test_a_picture_is_written_as_its_name_says(clip, tmp_path):
    """PNG keeps every pixel; other endings are refused."""
    image = pick_frame(clip, Pick()).image

    write_image(image, tmp_path / "new" / "a.png")
    write_image(image, tmp_path / "a.JPG")

    with Image.open(tmp_path / "new" / "a.png") as png, Image.open(tmp_path / "a.JPG") as jpeg:
        assert np.array_equal(np.asarray(png), image)
        assert jpeg.format == "JPEG"
    with pytest.raises(Misconfigured, match=r"\.png, \.jpg, \.jpeg"):
        write_image(image, tmp_path / "a.gif")
