/** How this person likes to read, kept in the browser. */
import { effect, signal } from "@preact/signals";
import { remembered, storage } from "../parts/memory.js";

const DEFAULTS = {
  view: "board",
  names: "lecture",
  digits: 5,
  comma: false,
  theme: /** @type {"auto" | "light" | "dark"} */ ("auto"),
  speed: 1,
};

/** @typedef {ReturnType<typeof createPreferences>} Preferences */

export function createPreferences() {
  const kept = remembered(storage("localStorage"), "chalkgrad-preferences");
  const known = { ...DEFAULTS, ...parsed(kept.value) };
  const preferences = {
    view: signal(known.view),
    names: signal(known.names),
    digits: signal(known.digits),
    comma: signal(known.comma),
    theme: signal(known.theme),
    speed: signal(known.speed),
  };
  effect(() => {
    const now = Object.fromEntries(
      Object.entries(preferences).map(([name, { value }]) => [name, value]),
    );
    kept.value = JSON.stringify(now);
  });
  return preferences;
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return text === null ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}
