// Classes of a job: each label has a colour and a shape of its own, the same in every job. Pure.

/**
 * @typedef {object} Class
 * @property {string} group
 * @property {string} label
 * @property {number} class_id
 * @property {string} shape of its glyph: a symbol of `icons.svg`
 * @property {string} colour name of a hue: `--car` in panels, `--mark-car` on the picture, `is-car` for a glyph
 */

export const HUES = ["car", "van", "truck", "bus", "person", "cyclist"];
export const SHAPES = ["square", "diamond", "hexagon", "bar", "circle", "triangle"];

/** Labels that mean the same, by model. @type {Record<string, string>} */
const SAME = {
  pedestrian: "person",
  people: "person",
  bicycle: "cyclist",
  bike: "cyclist",
  bicyclist: "cyclist",
  rider: "cyclist",
  lorry: "truck",
  minivan: "van",
};

/**
 * Hue and shape of a label; 36 pairs, so that labels that share one are rare, and each is named beside its mark.
 * @param {string} label
 */
export function markOf(label) {
  const name = label.toLowerCase();
  const own = HUES.indexOf(SAME[name] ?? name);
  if (own >= 0) return { colour: HUES[own], shape: SHAPES[own] };
  let hash = 2166136261;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  const place = (hash >>> 0) % 36;
  return { colour: HUES[place % 6], shape: SHAPES[Math.floor(place / 6)] };
}

/**
 * @param {{name: string, labels: {class_id: number, label: string}[]}[]} groups as the job has them
 * @returns {Class[]}
 */
export function classesOf(groups) {
  return groups.flatMap(({ name, labels }) =>
    labels.map(({ class_id, label }) => ({ group: name, label, class_id, ...markOf(label) })));
}
