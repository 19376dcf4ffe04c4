/** How this person likes to read, kept in the browser. */
import { computed, effect, signal } from "@preact/signals";
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

/** Whether the system is dark; listened to once, however many studios are mounted. */
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => void (systemIsDark.value = system.matches));

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
  const { theme } = preferences;
  return {
    ...preferences,
    dark: computed(() => (theme.value === "auto" ? systemIsDark.value : theme.value === "dark")),
  };
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return text === null ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}
