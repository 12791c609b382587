// Lines and zones of a job: drawn on the picture, kept, counted, and shown with their evidence.

import { announce } from "../ui.js";
import { Drawing } from "./drawing.js";
import { Editor } from "./editor.js";
import { Evidence } from "./evidence.js";
import { mountFilters } from "./filters.js";
import { keyOf } from "./geometry.js";
import { Handles } from "./handles.js";
import { keeps } from "./keep.js";
import { mountList } from "./list.js";
import { Painter } from "./painter.js";
import { recounts } from "./recount.js";
import { mountTools } from "./tools.js";

/** @param {import("../state.js").State} state @param {any} player */
export function mount(state, player) {
  state.set({ loaded: false, live: false, counted: "", tallies: new Map(), saving: { state: "saved" }, counting: { state: "waiting", words: "" } });
  const drawing = new Drawing(state, announce);
  const editor = new Editor(state, player, drawing);
  const keep = keeps(state, drawing);
  const parts = { state, player, drawing };
  new Painter(parts);
  new Handles(state, player, drawing, editor);
  mountFilters(state);
  mountList(parts, editor, keep);
  new Evidence(parts);
  recounts(state);
  const chosen = () => (drawing.chosen ? keyOf(drawing.chosen) : "");
  mountTools(state, {
    use: (tool, place) => editor.use(tool, place),
    undo: () => editor.undo(),
    redo: () => drawing.redo(),
    remove: () => drawing.remove(chosen()),
    reverse: () => drawing.reverse(chosen()),
  });
}
