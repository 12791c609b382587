// Zoom and pan by pointer. What is neither goes on to whoever draws on the canvas.

const WHEEL = 0.0015; // a notch of a wheel is 100 or 120

/**
 * The wheel zooms with Ctrl (as a pinch on a touch pad does), once the picture has the focus, and while it is enlarged;
 * otherwise it scrolls the page. Two fingers zoom and pan; the middle button, or Shift and the first one, pan.
 * @param {import("./player.js").Player} player
 */
export function followPointer(player) {
  const { canvas, state } = player;
  /** @type {Map<number, [number, number]>} */
  const fingers = new Map();
  /** @type {number | null} */
  let dragging = null;

  const at = (/** @type {{clientX: number, clientY: number}} */ e) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [e.clientX - left, e.clientY - top];
  };

  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && document.activeElement !== canvas && state.values.view.zoom === 1) return;
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : e.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    const factor = Math.exp(-e.deltaY * unit * WHEEL * (e.ctrlKey ? 4 : 1));
    if (factor < 1 && state.values.view.zoom === 1) return;
    e.preventDefault();
    player.zoom(factor, at(e));
  }, { passive: false });

  const spread = () => {
    const [[ax, ay], [bx, by]] = fingers.values();
    return { middle: [(ax + bx) / 2, (ay + by) / 2], far: Math.hypot(ax - bx, ay - by) || 1 };
  };

  canvas.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "touch") fingers.set(e.pointerId, [e.clientX, e.clientY]);
    const pans = e.button === 1 || (e.button === 0 && e.shiftKey);
    if (!pans && fingers.size !== 2) return;
    if (pans) dragging = e.pointerId;
    canvas.setPointerCapture(e.pointerId);
    e.preventDefault();
    e.stopImmediatePropagation();
  }, { capture: true });

  canvas.addEventListener("pointermove", (e) => {
    if (fingers.size === 2 && fingers.has(e.pointerId)) {
      const before = spread();
      fingers.set(e.pointerId, [e.clientX, e.clientY]);
      const after = spread();
      const { left, top } = canvas.getBoundingClientRect();
      player.pan([after.middle[0] - before.middle[0], after.middle[1] - before.middle[1]]);
      player.zoom(after.far / before.far, [after.middle[0] - left, after.middle[1] - top]);
    } else if (fingers.has(e.pointerId)) {
      fingers.set(e.pointerId, [e.clientX, e.clientY]);
      return;
    } else if (dragging === e.pointerId) player.pan([e.movementX, e.movementY]);
    else return;
    e.stopImmediatePropagation();
  }, { capture: true });

  const lift = (/** @type {PointerEvent} */ e) => {
    const two = fingers.size === 2 && fingers.has(e.pointerId);
    fingers.delete(e.pointerId);
    if (dragging === e.pointerId) dragging = null;
    else if (!two) return;
    e.stopImmediatePropagation();
  };
  canvas.addEventListener("pointerup", lift, { capture: true });
  canvas.addEventListener("pointercancel", lift, { capture: true });
}
