// What this browser can read of a file before it is sent. The service looks for itself; what it finds counts.

import { bytes, clock } from "../words.js";

const PATIENCE_MS = 8000;
const VIDEOS = /\.(mp4|m4v|mov|mkv|webm|avi|ts|mts|m2ts|3gp)$/i;

/**
 * Why a file cannot be sent at all; "" where it can.
 * @param {File} file @param {number | null} most bytes that the service takes
 */
export function refusal(file, most) {
  if (!file.type.startsWith("video/") && !VIDEOS.test(file.name)) {
    return "It is not a video. Choose an MP4, MOV, MKV, WebM, AVI or MPEG-TS file.";
  }
  if (file.size === 0) return "The file is empty. Copy it again from where it was recorded.";
  if (most !== null && file.size > most) {
    return `It has ${bytes(file.size)}, and the service takes ${bytes(most)}. Cut it, or ask whoever runs the service.`;
  }
  return "";
}

/**
 * Duration and size as the browser's own player sees them; null where it cannot read the file.
 * @param {File} file
 * @returns {Promise<{seconds: number, width: number, height: number} | null>}
 */
export function look(file) {
  const url = URL.createObjectURL(file);
  const video = document.createElement("video");
  return new Promise((resolve) => {
    const end = (/** @type {any} */ found) => {
      clearTimeout(timer);
      video.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(found);
    };
    const timer = setTimeout(end, PATIENCE_MS, null);
    video.preload = "metadata";
    video.muted = true;
    video.onloadedmetadata = () => end({ seconds: video.duration, width: video.videoWidth, height: video.videoHeight });
    video.onerror = () => end(null);
    video.src = url;
  });
}

/**
 * @param {number} size of the file
 * @param {{seconds: number, width: number, height: number} | null | undefined} found undefined: not yet known
 */
export function probeWords(size, found) {
  if (found === undefined) return `${bytes(size)}, looking into it…`;
  if (found === null) return `${bytes(size)}. This browser cannot read it; the service will.`;
  if (!found.width) return `${bytes(size)}, ${clock(found.seconds)}, no picture that this browser can read; the service looks for itself.`;
  const time = Number.isFinite(found.seconds) ? `, ${clock(found.seconds)}` : "";
  return `${bytes(size)}, ${found.width}×${found.height}${time}`;
}
