// What a picture is shown on: a video, or pictures of frames while there is no video that this browser plays.
//
// Both have the same members. `shown(row)` is called for each frame that came to the screen, and never for another.

import { rowAt } from "./frames.js";

/** @typedef {import("./frames.js").Frames} Frames */

const TAKES = "VideoFrame" in globalThis;
const ASTRAY_MS = 300;

/**
 * The moment to seek to for a row: the middle of the time that it is shown, so that no rounding leads to its neighbour.
 * @param {Frames} frames
 * @param {number} row
 */
export function middleOf(frames, row) {
  const next = row + 1 < frames.n ? frames.pts[row + 1] : Math.max(frames.duration, frames.pts[row] + 2000);
  return (frames.pts[row] + next) / 2;
}

/**
 * A video element, and a canvas over it on which every frame is painted.
 *
 * The browser shows the frames of a video when it sees fit, on another thread: by the time that boxes are drawn for the frame
 * that it told of, a later one may be on the screen. So the frame that is there is taken together with its time, and
 * painted in the same turn as its boxes: what is seen is one drawing, whatever the load. A browser that gives no frames
 * (no `VideoFrame`) shows the video itself, and its word for the time is taken.
 *
 * Times: Chromium keeps those of the file, to the microsecond, and so does `media_start_us`: with MP4 that begins late,
 * edit lists, negative offsets, fragments, B-frames, open GOP, sound that begins earlier or later, Matroska and WebM that
 * begin late. It was asked for each with pictures that tell their numbers (`tests/browser/test_exact.py`). An edit list that
 * cuts the start off is applied before. Where the file does not begin with a key frame Chromium refuses it, and a copy is played.
 */
export class VideoScreen {
  /** @type {number | null} row that is to be sought once the present seek has ended */
  #next = null;
  /** Row that was sought last. @type {number | null} */
  #wanted = null;
  /** Time of the frame that is painted. @type {number | null} */
  #us = null;
  #ended = false;
  #due = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas
   * @param {Frames} frames
   * @param {number} mediaStart microseconds: what the player calls the time of row 0
   * @param {(row: number) => void} shown
   * @param {() => void} astray called where a seek led to another frame than was sought, and stayed there
   */
  constructor(video, canvas, frames, mediaStart, shown, astray) {
    this.video = video;
    this.canvas = canvas;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.frames = frames;
    this.mediaStart = mediaStart;
    this.shown = shown;
    this.seeked = () => {
      this.sync();
      const next = this.#next;
      this.#next = null;
      if (next !== null) this.seek(next);
      else this.#check(astray);
    };
    video.addEventListener("seeked", this.seeked);
    video.addEventListener("loadeddata", this.seeked);
    this.#follow();
  }

  /** What lies on the stage. */
  get elements() {
    return [this.video, this.canvas];
  }

  /** What shows the present frame: to be drawn from. */
  get picture() {
    return this.canvas.hidden ? this.video : this.canvas;
  }

  #follow() {
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (this.#ended) return;
      if (TAKES) this.sync();
      else this.#present(Math.round(mediaTime * 1e6));
      this.#follow();
    });
  }

  /** Take the frame that the video shows now, where that is another one than is drawn. In a seek there is none to be had. */
  sync() {
    const { video, canvas } = this;
    if (!TAKES || this.#ended || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const frame = taken(video);
    if (!frame) return this.#later();
    if (frame.timestamp !== this.#us) {
      if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
      this.pen.drawImage(frame, 0, 0, canvas.width, canvas.height);
      canvas.hidden = false;
      this.#present(frame.timestamp);
    }
    frame.close();
  }

  #later() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.sync();
    });
  }

  #present(/** @type {number} */ us) {
    this.#us = us;
    this.shown(rowAt(this.frames.pts, us - this.mediaStart));
  }

  get size() {
    return { width: this.video.videoWidth, height: this.video.videoHeight };
  }

  get paused() {
    return this.video.paused;
  }

  /**
   * Some files lead a player beyond the frame that was sought: Chromium takes the times at which key frames are decoded for
   * those at which they are shown, which lie apart in fragmented MP4 of `empty_moov`, and misses those before a key frame.
   */
  #check(/** @type {() => void} */ astray) {
    const wanted = this.#wanted;
    setTimeout(() => {
      if (this.#ended || wanted === null || wanted !== this.#wanted || this.video.seeking || !this.video.paused || this.#us === null) return;
      this.sync();
      const row = rowAt(this.frames.pts, this.#us - this.mediaStart);
      if (row !== wanted && !this.frames.failed[wanted]) astray();
    }, ASTRAY_MS);
  }

  /** Seek; where one is under way, as soon as that has ended, to the row that was asked for last. @param {number} row */
  seek(row) {
    this.#wanted = row;
    if (this.video.seeking) this.#next = row;
    else this.video.currentTime = (middleOf(this.frames, row) + this.mediaStart) / 1e6;
  }

  async play() {
    this.#wanted = null;
    await this.video.play();
  }

  pause() {
    this.video.pause();
  }

  /** @param {number} speed */
  rate(speed) {
    this.video.playbackRate = speed;
  }

  /** Show nothing any more. */
  end() {
    this.#ended = true;
    for (const type of ["seeked", "loadeddata"]) this.video.removeEventListener(type, this.seeked);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.canvas.hidden = true;
  }
}

/**
 * The frame that a video shows now; null where the browser says that it has data, and has no frame yet: on a busy machine.
 * @param {HTMLVideoElement} video
 */
function taken(video) {
  try {
    return new VideoFrame(video);
  } catch (error) {
    if (error instanceof DOMException && error.name === "InvalidStateError") return null;
    throw error;
  }
}

/** Pictures of single frames, as the service makes them. */
export class StillScreen {
  #asked = -1;
  #ended = false;
  #busy = false;

  /**
   * @param {HTMLImageElement} image
   * @param {Frames} frames
   * @param {string} job_id
   * @param {(row: number) => void} shown
   * @param {(row: number) => void} missing called where there is no picture of a frame
   */
  constructor(image, frames, job_id, shown, missing) {
    this.element = image;
    this.frames = frames;
    this.job_id = job_id;
    this.shown = shown;
    this.missing = missing;
  }

  get elements() {
    return [this.element];
  }

  get picture() {
    return this.element;
  }

  get size() {
    return { width: this.element.naturalWidth, height: this.element.naturalHeight };
  }

  get paused() {
    return true;
  }

  /** @param {number} row */
  seek(row) {
    this.#asked = row;
    if (!this.#busy) this.#load();
  }

  async #load() {
    this.#busy = true;
    while (!this.#ended) {
      const row = this.#asked;
      this.element.src = `/api/v1/jobs/${this.job_id}/frames/${this.frames.frame[row]}.jpg`;
      const came = await this.element.decode().then(() => true, () => false);
      if (this.#ended) break;
      if (came) this.shown(row);
      else this.missing(row);
      if (row === this.#asked) break;
    }
    this.#busy = false;
  }

  async play() {
    throw new Error("Pictures of single frames do not play; the video is not ready.");
  }

  sync() {}

  pause() {}

  rate() {}

  end() {
    this.#ended = true;
  }
}
