// What both views share: elements, theme, dialogs, what is said to screen readers.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "use", "path", "g", "line", "rect", "polyline", "text", "circle"]);

/**
 * The element of a selector, which is there.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {any}
 */
export const $ = (selector, root = document) => root.querySelector(selector);

/**
 * Build an element. `on*` values are listeners; null and false attributes are left out.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const el = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else if (value === true) el.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) el.setAttribute(key, value);
  }
  el.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return el;
}

/** @param {string} name @param {string} [kind] */
export function icon(name, kind = "icon") {
  return h("svg", { class: kind, "aria-hidden": "true" }, h("use", { href: `/page/icons.svg#${name}` }));
}

/** @param {{name: string, shape: string}} cls */
export function glyph(cls) {
  return h("svg", { class: `glyph is-${cls.name}`, "aria-hidden": "true" }, h("use", { href: `/page/icons.svg#${cls.shape}` }));
}

/**
 * A button; without `text` it has its label for those who cannot see its icon.
 * @param {string} label
 * @param {Record<string, any>} [options] `name` of an icon, `kind` (class), `text`, and attributes
 * @param {((e: any) => void) | undefined} [onclick]
 */
export function button(label, { name, kind = "", text = true, ...props } = {}, onclick) {
  /** @type {Record<string, any>} */
  const attrs = { type: "button", class: `${kind}${text ? "" : " square"}`.trim() || null, onclick, ...props };
  if (!text) Object.assign(attrs, { "aria-label": label, title: attrs.title ?? label });
  return h("button", attrs, name ? icon(name) : null, text ? label : null);
}

/** @type {HTMLElement | undefined} */
let region;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pending;

/** Say something to screen readers, at most once per half second. @param {string} text */
export function announce(text) {
  const said = (region ??= document.body.appendChild(h("p", { class: "hide", "aria-live": "polite" })));
  clearTimeout(pending);
  pending = setTimeout(() => (said.textContent = text), 500);
}

/** @param {string} key @param {any} fallback */
export function stored(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(`sightline.${key}`) ?? "null") ?? fallback;
  } catch {
    return fallback; // storage may be blocked, or hold what an older page wrote
  }
}

/** @param {string} key @param {any} value */
export function store(key, value) {
  try {
    localStorage.setItem(`sightline.${key}`, typeof value === "string" ? value : JSON.stringify(value));
  } catch {
    // Storage may be blocked or full; the page works without it.
  }
}

const THEMES = ["system", "light", "dark"];

/** @param {HTMLElement} el */
export function themeButton(el) {
  const root = document.documentElement;
  const show = () => el.setAttribute("aria-label", `Theme: ${root.dataset.theme ?? "system"}`);
  el.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % 3];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    store("theme", next);
    show();
    el.title = `Theme: ${next}`;
    announce(`Theme: ${next}`);
  });
  show();
}

/** @param {string} title @param {...any} body @returns {HTMLDialogElement} */
export function dialog(title, ...body) {
  /** @type {HTMLDialogElement} */
  const el = h("dialog", { "aria-label": title },
    h("div", { class: "panel-head" }, h("h2", {}, title), h("div", { class: "end" }, button("Close", { name: "close", text: false }, () => el.close()))),
    h("div", { class: "dialog-body" }, body));
  el.addEventListener("click", (e) => {
    if (e.target === el) el.close();
  });
  document.body.append(el);
  return el;
}

/** @param {string} text @param {string} what */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied`);
    return true;
  } catch {
    announce(`${what} could not be copied`);
    return false;
  }
}
