// The row above the picture: what is shown, zoom, full screen. Tools that draw are with the lines.

import { $, announce, button, h, store, stored } from "../ui.js";

const SHOWN = [["boxes", "Boxes", "b", "box"], ["ids", "Ids", "i", "tag"], ["trails", "Trails", "t", "trail"], ["zones", "Lines", "z", "line"]];

/** @param {import("../state.js").State} state @param {string} name */
export function toggleShow(state, name) {
  const show = { ...state.values.show, [name]: !state.values.show[name] };
  state.set({ show });
  store("show", show);
  announce(`${SHOWN.find(([each]) => each === name)?.[1]} ${show[name] ? "shown" : "hidden"}`);
}

export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("#player").requestFullscreen().catch(() => announce("Full screen is not available"));
}

/** @param {import("../state.js").State} state @param {import("./player.js").Player} player */
export function mountTools(state, player) {
  const show = stored("show", null);
  if (show) state.set({ show: { ...state.values.show, ...show } });
  const toggle = (/** @type {string[]} */ [name, label, key, symbol]) => button(label, { name: symbol, "data-show": name, title: `${label} (${key})` }, () => toggleShow(state, name));
  const whole = button("1×", { title: "Zoom: the whole picture (0)", "aria-label": "Zoom 1×: show the whole picture" }, () => player.whole());
  $("#tools").append(
    h("div", { role: "group", "aria-label": "Show" }, SHOWN.map(toggle)),
    h("div", { role: "group", "aria-label": "Zoom" },
      button("Zoom out", { name: "zoom-out", text: false, title: "Zoom out (-)" }, () => player.zoom(1 / 1.5)), whole,
      button("Zoom in", { name: "zoom-in", text: false, title: "Zoom in (+)" }, () => player.zoom(1.5)),
      button("Full screen", { name: "full", text: false, title: "Full screen (f)" }, fullScreen)));
  const paint = () => {
    for (const el of $("#tools").querySelectorAll("[data-show]")) el.setAttribute("aria-pressed", state.values.show[el.dataset.show]);
  };
  const tell = () => {
    const text = `${Number(state.values.view.zoom.toFixed(1))}×`;
    if (whole.textContent === text) return;
    whole.textContent = text;
    whole.setAttribute("aria-label", `Zoom ${text}: show the whole picture`);
  };
  state.on(["show"], paint);
  state.on(["view"], tell);
  paint();
}
