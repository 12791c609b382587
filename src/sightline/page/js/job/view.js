// Zoom and pan: where a point of the picture is on the stage, and back. Pure.
//
// The stage is the box on the page in which the picture is shown, in CSS pixels. A view says how often the picture is
// enlarged, and which point of it (0..1) is in the middle of the stage.

/** @typedef {{zoom: number, x: number, y: number}} View */
/** @typedef {{width: number, height: number}} Size */

export const WHOLE = Object.freeze({ zoom: 1, x: 0.5, y: 0.5 });
export const MOST = 32;

/** CSS pixels for a pixel of the picture, unzoomed: the picture is as large as it fits. @param {Size} picture @param {Size} stage */
export const fit = (picture, stage) => Math.min(stage.width / picture.width, stage.height / picture.height);

/** @param {View} view @param {Size} picture @param {Size} stage @param {number[]} point of the picture, 0..1 */
export function toStage(view, picture, stage, [x, y]) {
  const scale = fit(picture, stage) * view.zoom;
  return [stage.width / 2 + (x - view.x) * picture.width * scale, stage.height / 2 + (y - view.y) * picture.height * scale];
}

/** @param {View} view @param {Size} picture @param {Size} stage @param {number[]} point of the stage */
export function toPicture(view, picture, stage, [x, y]) {
  const scale = fit(picture, stage) * view.zoom;
  return [view.x + (x - stage.width / 2) / (picture.width * scale), view.y + (y - stage.height / 2) / (picture.height * scale)];
}

/**
 * The view, moved so that the picture fills the stage where it is large enough, and is in its middle where it is not.
 * @param {View} view @param {Size} picture @param {Size} stage
 * @returns {View}
 */
export function held(view, picture, stage) {
  const zoom = Math.min(MOST, Math.max(1, view.zoom));
  const scale = fit(picture, stage) * zoom;
  const hold = (/** @type {number} */ at, /** @type {number} */ room, /** @type {number} */ size) => {
    const half = room / (2 * size * scale);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
  };
  return { zoom, x: hold(view.x, stage.width, picture.width), y: hold(view.y, stage.height, picture.height) };
}

/**
 * The view, enlarged by a factor around a point of the stage, which stays where it is.
 * @param {View} view @param {Size} picture @param {Size} stage @param {number[]} point @param {number} factor
 */
export function zoomed(view, picture, stage, point, factor) {
  const zoom = Math.min(MOST, Math.max(1, view.zoom * factor));
  const [px, py] = toPicture(view, picture, stage, point);
  const [qx, qy] = toPicture({ ...view, zoom }, picture, stage, point);
  return held({ zoom, x: view.x + px - qx, y: view.y + py - qy }, picture, stage);
}

/** The view, moved by pixels of the stage. @param {View} view @param {Size} picture @param {Size} stage @param {number[]} by */
export function panned(view, picture, stage, [dx, dy]) {
  const scale = fit(picture, stage) * view.zoom;
  const [x, y] = [view.x - dx / (picture.width * scale), view.y - dy / (picture.height * scale)];
  return held({ ...view, x, y }, picture, stage);
}

/** How an element that fills the stage, its picture contained, is transformed. @param {View} view @param {Size} picture @param {Size} stage */
export function transformOf(view, picture, stage) {
  const scale = fit(picture, stage) * view.zoom;
  const [x, y] = [
    (stage.width / 2) * (1 - view.zoom) + (0.5 - view.x) * picture.width * scale,
    (stage.height / 2) * (1 - view.zoom) + (0.5 - view.y) * picture.height * scale,
  ];
  return `translate(${x}px, ${y}px) scale(${view.zoom})`;
}
