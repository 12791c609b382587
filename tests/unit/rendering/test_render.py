"""Drawing finished runs."""

import json

import av
import numpy as np
import pytest

import sightline as sl
from sightline.app.track import track
from sightline.errors import Misconfigured, NotFound
from sightline.rendering.render import Look, Rendered, render_run
from sightline.runs.shapes import ShapeFiles
from sightline.runs.verify import verify
from sightline.settings import DetectOptions
from tests.media import video
from tests.unit.scene import BROKEN, FRAMES, LABELS, see

MIDDLE = sl.Line("middle", (0.5, 1.0), (0.5, 0.0))
TOP = sl.Zone("top", ((0, 0), (1, 0), (1, 0.5), (0, 0.5)))


def frames_in(video) -> list[float]:
    with av.open(str(video)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def test_a_run_is_drawn_with_every_frame_that_decodes_at_its_own_time(finished, tmp_path):
    """The broken frame is left out, not replaced."""
    video = render_run(finished.path, tmp_path / "new" / "street.mp4")[0].path

    times = frames_in(video)
    assert video == tmp_path / "new" / "street.mp4"
    assert len(times) == FRAMES - 1
    assert times == pytest.approx([n / 25 for n in range(FRAMES) if n != BROKEN], abs=1e-3)


def test_a_source_that_moved_is_named(run_copy, street, tmp_path):
    """Without it the message says which option to use; another source is never drawn on."""
    moved = street.rename(street.with_name("moved"))
    try:
        with pytest.raises(NotFound, match="source="):
            render_run(run_copy)
        assert render_run(run_copy, tmp_path / "a.mp4", source=moved) == [Rendered(tmp_path / "a.mp4")]
    finally:
        moved.rename(street)

    other = tmp_path / "street"
    other.mkdir()
    (other / "0.png").write_bytes((street / "0000.png").read_bytes())
    with pytest.raises(Misconfigured, match="not the source"):
        render_run(run_copy, source=other)


@pytest.mark.parametrize("timing", [None, "{}", "no JSON"])
def test_without_timing_json_the_source_must_be_named(run_copy, street, tmp_path, timing):
    """No promise covers that file: it may be gone."""
    path = run_copy / "timing.json"
    path.unlink() if timing is None else path.write_text(timing)

    with pytest.raises(NotFound, match="source="):
        render_run(run_copy)
    assert render_run(run_copy, tmp_path / "a.mp4", source=street)


def test_one_file_is_not_enough_for_two_runs(run_copy, finished):
    """Nothing is drawn."""
    other = run_copy.parent / "other"
    other.mkdir()
    (other / "run.json").write_text(json.dumps({"v": 1}))

    with pytest.raises(Misconfigured, match="2 runs"):
        render_run(run_copy.parent, run_copy / "x.mp4")


def test_a_video_is_never_drawn_over_its_source(tmp_path):
    """`-o` with the name of the source, or of a link to it."""
    source = video(tmp_path / "v.mp4", 6)
    run = sl.track(source, detector=see, labels=LABELS, out=tmp_path / "out")
    before = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)

    for out in ("v.mp4", "link.mp4"):
        with pytest.raises(Misconfigured, match="source itself"):
            render_run(run.path, tmp_path / out)

    assert source.read_bytes() == before


def walking(path):
    """Text of one object that walks to the right."""
    path.write_text("".join(f"{n},-1,{10 + 3 * n},30,20,40,0.9,-1,-1,-1\n" for n in range(1, 13)))
    return path


def first_frame(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_a_text_is_drawn_on_a_blank_canvas(tmp_path):
    """Of the size of the run, a frame for each of the text, and whoever asked can say so."""
    run = sl.track(walking(tmp_path / "det.txt"), out=tmp_path / "out", size="160x96", fps=10)

    (drawn,) = render_run(run.path)

    assert drawn == Rendered(run.path / "annotated.mp4", (160, 96))
    assert frames_in(drawn.path) == pytest.approx([n / 10 for n in range(12)], abs=1e-3)
    assert first_frame(drawn.path)[-2, -2].max() < 60
    assert [verdict.problems for verdict in verify(run.path)] == [()]


def test_a_text_is_drawn_on_its_video(tmp_path):
    """At the times of the video, which the text did not know."""
    run = sl.track(walking(tmp_path / "det.txt"), out=tmp_path / "out", fps=10)
    clip = video(tmp_path / "clip.mp4", 20)

    (drawn,) = render_run(run.path, tmp_path / "a.mp4", source=clip)

    assert drawn == Rendered(tmp_path / "a.mp4")
    assert frames_in(drawn.path) == pytest.approx([n / 25 for n in range(12)], abs=1e-3)


@pytest.mark.parametrize(
    ("size", "frames", "message"),
    [
        ("320x192", 20, "its picture is 160x96, the run was told 320x192"),
        ("160x96", 5, "frame 5 of the run is not in it, it has 5 frames"),
    ],
)
def test_a_video_that_a_text_was_not_made_on_is_refused(tmp_path, size, frames, message):
    """Another size, or too short: boxes on wrong pictures would look right."""
    run = sl.track(walking(tmp_path / "det.txt"), out=tmp_path / "out", size=size)

    with pytest.raises(Misconfigured, match=message):
        render_run(run.path, tmp_path / "a.mp4", source=video(tmp_path / "clip.mp4", frames))
    assert not (tmp_path / "a.mp4").exists()


def test_lines_zones_and_counts_are_drawn(finished, tmp_path):
    """The same run looks different; drawn twice it is the same, to the byte."""
    look = Look((MIDDLE,), (TOP,), counts=True)

    plain, drawn, again = (
        render_run(finished.path, tmp_path / name, look=each)[0].path.read_bytes()
        for name, each in (("a.mp4", Look()), ("b.mp4", look), ("c.mp4", look))
    )

    assert plain != drawn == again
    assert finished.render(tmp_path / "d.mp4", lines=[MIDDLE], zones=[TOP], counts=True).read_bytes() == drawn


def test_lines_of_another_video_are_not_drawn(finished, tmp_path):
    """A file says for which video its elements are."""
    file = tmp_path / "lines.json"
    file.write_text(
        f'[{{"name": "mine", "a": [0.2, 0.5], "b": [0.8, 0.5], "video": "{finished.result.video_id}"}},'
        ' {"name": "other", "a": [0.5, 1], "b": [0.5, 0], "video": "elsewhere"}]'
    )
    mine = sl.Line("mine", (0.2, 0.5), (0.8, 0.5))

    render_run(finished.path, tmp_path / "a.mp4", shapes=ShapeFiles([str(file)], []))

    drawn = (tmp_path / "a.mp4").read_bytes()
    assert drawn == finished.render(tmp_path / "b.mp4", lines=[mine]).read_bytes()
    assert drawn != finished.render(tmp_path / "c.mp4").read_bytes()


def test_lines_need_tracks(street, tmp_path):
    """Detections cross nothing."""
    options = DetectOptions.model_validate({"out": tmp_path, "fps": 25, "workers": 1})
    (report,) = track([street], options, command="detect", function=see, labels=LABELS)

    with pytest.raises(Misconfigured, match="sightline track"):
        render_run(report.path, tmp_path / "a.mp4", look=Look((MIDDLE,)))
