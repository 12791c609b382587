// Asks for a token where the service wants one, once for all requests that wait for it.

import { tokens } from "./api.js";
import { button, dialog, h } from "./ui.js";

/** @type {Promise<boolean> | null} */
let asking = null;
let declined = false;

/** Let every request of the page ask for a token where one is needed. Who closes the dialog is not asked again by itself. */
export function askForTokens() {
  tokens.ask = async () => {
    if (declined) return false;
    asking ??= ask().finally(() => (asking = null));
    return asking;
  };
}

/** Somebody who had closed the dialog wants it after all. @returns {Promise<boolean>} whether there is a token now */
export function askAgain() {
  declined = false;
  return tokens.ask();
}

/** @returns {Promise<boolean>} */
function ask() {
  const field = h("input", {
    id: "token", type: "password", autocomplete: "current-password", spellcheck: "false", required: true, autofocus: true, "aria-describedby": "token-hint",
  });
  const hint = h("p", { id: "token-hint", class: "hint muted", role: "status" }, "You get one from whoever runs the service. This browser keeps it for 30 days.");
  const send = h("button", { class: "primary" }, "Go on");
  const form = h("form", { class: "token" },
    h("label", { for: "token" }, "Token"), field, hint,
    h("div", { class: "actions" }, send, button("Cancel", {}, () => el.close())));
  const el = dialog("This service asks for a token", form);
  let given = false;
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    send.disabled = true;
    const refused = await session(field.value.trim());
    send.disabled = false;
    given = refused === "";
    if (given) return el.close();
    hint.textContent = refused;
    hint.classList.add("bad-text");
    field.setAttribute("aria-invalid", "true");
    field.select();
    field.focus();
  });
  el.showModal();
  return new Promise((resolve) =>
    el.addEventListener("close", () => {
      el.remove();
      declined = !given;
      resolve(given);
    }));
}

/**
 * Give a token for a session of this browser. Not by `ask` of api.js, which would ask for a token.
 * @param {string} token
 * @returns {Promise<string>} why it is none, or ""
 */
async function session(token) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  try {
    const answer = await fetch("/api/v1/session", { method: "POST", headers, body: JSON.stringify({ token }) });
    if (answer.ok) return "";
    if (answer.status === 401) return "That is no token of this service, or it has expired. Look whether all of it was copied.";
    return `The service answered ${answer.status}. Try again.`;
  } catch {
    return "The service does not answer. Try again in a moment.";
  }
}
