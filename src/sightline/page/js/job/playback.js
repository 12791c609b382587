// Which video is played: the original where this browser can, a copy that the service makes otherwise. Pictures of single
// frames stand in for it until the copy is there.

import { askJson, Refused } from "../api.js";
import { $, button, h } from "../ui.js";
import { codecWord } from "../words.js";
import { say } from "./notices.js";
import { StillScreen, VideoScreen } from "./screen.js";

const LOOK_MS = 1000;
const UNSAID = "video/quicktime"; // Chromium says that it does not play MOV, and plays it; another browser fails, and gets a copy
const [PLAY, EXACTLY] = ["play", "go to every frame of"];

export class Playback {
  /**
   * @param {string} job_id
   * @param {import("../state.js").State} state
   * @param {import("./player.js").Player} player
   */
  constructor(job_id, state, player) {
    this.path = `/jobs/${job_id}/playback`;
    this.job_id = job_id;
    this.state = state;
    this.player = player;
    this.video = $("#video");
    this.still = $("#still");
    for (const type of ["play", "pause", "ended"]) this.video.addEventListener(type, () => player.moved());
  }

  async begin() {
    try {
      const { original } = await askJson(this.path);
      if (original && (original.type === UNSAID || this.video.canPlayType(original.type))) this.#play(original, (why) => this.#makeCopy(original, why));
      else await this.#makeCopy(original, PLAY);
    } catch (error) {
      this.#failed(/** @type {Error} */ (error));
    }
  }

  /**
   * @param {{link: string, media_start_us: number}} which
   * @param {(why: string) => void} unplayable called where this browser cannot play it as it has to be, now or later on
   */
  #play({ link, media_start_us }, unplayable) {
    const { video, still } = this;
    const { frames } = this.state.values;
    video.hidden = false;
    still.hidden = true;
    const screen = () => {
      video.src = link;
      return new VideoScreen(video, $("#frame"), frames, media_start_us, (row) => this.player.present(row), () => stop(EXACTLY));
    };
    const stop = (/** @type {string} */ why) => {
      video.removeEventListener("error", fails);
      video.removeEventListener("loadedmetadata", look);
      unplayable(why);
    };
    const fails = () => stop(PLAY);
    // A browser may play the sound of a video whose pictures it cannot decode.
    const look = () => video.videoWidth || fails();
    video.addEventListener("error", fails);
    video.addEventListener("loadedmetadata", look);
    this.player.use(screen);
  }

  #showStills() {
    const { frames } = this.state.values;
    this.video.hidden = true;
    this.still.hidden = false;
    const missing = (/** @type {number} */ row) => say("still", "warn", "There is no picture of this frame", `Frame ${frames.frame[row]} could not be decoded, or the service is busy.`);
    const shown = (/** @type {number} */ row) => {
      say("still", "", "", "");
      this.player.present(row);
    };
    this.player.use(() => new StillScreen(this.still, frames, this.job_id, shown, missing));
  }

  /** @param {{codec: string | null} | null} original @param {string} why */
  async #makeCopy(original, why) {
    const what = why === EXACTLY ? "this video" : original?.codec ? codecWord(original.codec) : this.state.values.job.source?.kind === "images" ? "a folder of pictures" : "this video";
    this.#showStills();
    try {
      let { copy } = await askJson(this.path);
      if (!copy || copy.state === "failed") ({ copy } = await askJson(this.path, { method: "POST" }));
      while (copy?.state === "making") {
        this.#tellMaking(`${why} ${what}`, copy);
        await new Promise((done) => setTimeout(done, LOOK_MS));
        ({ copy } = await askJson(this.path));
      }
      if (copy?.state !== "ready") throw new Error(copy?.detail || "The copy was not made.");
      say("copy", "", "", "");
      this.#play(copy, () => {
        this.#showStills();
        say("copy", "error", "This browser cannot play the copy either", "It is H.264 in MP4. Pictures of single frames are shown instead; counts and boxes are the same.");
      });
    } catch (error) {
      this.#failed(/** @type {Error} */ (error));
    }
  }

  /** @param {string} what @param {{done: number, total: number}} copy */
  #tellMaking(what, { done, total }) {
    const share = total ? Math.floor((100 * done) / total) : 0;
    say("copy", "info", `This browser cannot ${what}; a copy is being made: ${share} %`, "Until then single frames are shown. The copy has the same presentation times, so boxes will fit.", {
      more: [h("progress", { max: 100, value: share, "aria-label": "Copy" })],
    });
  }

  /** @param {Error} error */
  #failed(error) {
    const again = button("Try again", { kind: "outlined", name: "retry" }, () => {
      say("copy", "", "", "");
      this.begin();
    });
    const detail = error instanceof Refused && error.code ? `${error.message} (${error.code})` : error.message;
    say("copy", "error", "The video cannot be played here", `${detail} Pictures of single frames are shown instead; counts and boxes are the same.`, { actions: [again] });
    if (this.still.hidden) this.#showStills();
  }
}
