"""Whether a player says the frame that it shows: the number in the picture against what the page says of it."""

from __future__ import annotations

import random

from tests.numbered import BLOCKS

PATIENCE_MS = 20_000
COPY_MS = 120_000
PLAYS = "!document.querySelector('#frame').hidden && sightline.presented() !== null"

# What is seen is the canvas on which the page paints each frame: its number is read before every repaint of the page, and
# has to be that of `presented()`. The video element below it is read as well, in the very callback in which a frame comes to
# the screen, where the browser itself may go on to the next one while it is read.
WATCH = f"""() => {{
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [{BLOCKS * 4}, 8];
  const pen = canvas.getContext("2d", {{ willReadFrequently: true }});
  const number = (picture) => {{
    const [width, height] = [picture.videoWidth ?? picture.naturalWidth ?? picture.width, picture.videoHeight ?? picture.naturalHeight ?? picture.height];
    pen.drawImage(picture, 0, height / 5, width, height / 10, 0, 0, canvas.width, canvas.height);
    const {{ data }} = pen.getImageData(0, 4, canvas.width, 1);
    let found = 0;
    for (let block = 0; block < {BLOCKS}; block++) if (data[4 * (4 * block + 2)] > 128) found += 2 ** block;
    return found;
  }};
  const [video, still] = [document.querySelector("#video"), document.querySelector("#still")];
  const seen = () => (still.hidden ? document.querySelector("#frame") : still);
  const [told, below] = [[], []];
  const follow = () => video.requestVideoFrameCallback(() => {{
    below.push([sightline.presented().frame, number(video)]);
    requestAnimationFrame(() => told.push([sightline.presented().frame, number(seen())]));
    follow();
  }});
  follow();
  window.exactness = {{
    take: () => ({{ told: told.splice(0), below: below.splice(0) }}),
    seek: (frame, patience) => new Promise((done) => {{
      const end = performance.now() + patience;
      sightline.player.seekRow(frame);
      const look = () => {{
        const said = sightline.presented()?.frame ?? null;
        if ((said === frame && !video.seeking) || performance.now() > end) done([said, number(seen()), still.hidden ? number(video) : said]);
        else requestAnimationFrame(look);
      }};
      requestAnimationFrame(look);
    }}),
  }};
}}"""


def until(page, holds: str, patience_ms: float = PATIENCE_MS) -> None:
    """Wait until an expression of the page holds; the policy of the page forbids Playwright's own way."""
    for _ in range(round(patience_ms / 50)):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never came to be: {holds}")


def watch(page) -> None:
    """Begin to look, once a video is there, be it a copy."""
    until(page, PLAYS, COPY_MS)
    page.evaluate(WATCH)


def seeks(page, frames: int, count: int, seed: int = 11) -> list[tuple[int, list[int]]]:
    """Random seeks that went wrong: the frame that was asked for; the one that the page said, painted, and has in its video."""
    chosen = random.Random(seed)
    wrong = []
    for _ in range(count):
        wanted = chosen.randrange(frames)
        found = page.evaluate(f"exactness.seek({wanted}, {PATIENCE_MS})")
        if found != [wanted] * 3:
            wrong.append((wanted, found))
    return wrong


def played(page, seconds: float) -> dict[str, list[list[int]]]:
    """Frames that came to the screen in some seconds of playing from the start.

    Returns:
        `told`: what the page said, and the number that it had painted; `below`: what it said, and the number in the video
        element.
    """
    until(page, PLAYS, COPY_MS)
    page.evaluate(f"exactness.seek(0, {PATIENCE_MS})")
    page.evaluate("exactness.take()")
    page.evaluate("sightline.player.play()")
    page.wait_for_timeout(1000 * seconds)
    page.evaluate("sightline.player.pause()")
    page.wait_for_timeout(300)
    return page.evaluate("exactness.take()")
