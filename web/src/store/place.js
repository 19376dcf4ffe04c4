/** Where a person is: which tab, what is asked, which step. Kept for this tab, so that a refresh goes on there. */
import { effect } from "@preact/signals";
import { remembered, storage } from "../parts/memory.js";

const kept = () => remembered(storage("sessionStorage"), "chalkgrad-place");

/** @param {import("./store.js").Store} store */
export function keepPlace({ tab, asking, stepping, working }) {
  return effect(() => {
    const place = {
      tab: tab.value,
      selected: asking.selected.value,
      step: stepping.wanted.value,
      working: working.value,
    };
    // Infinity, the end, is no JSON.
    kept().value = JSON.stringify(place, (_key, value) => (value === Infinity ? 1e9 : value));
  });
}

/** @param {import("./store.js").Store} store */
export function returnToPlace({ tab, asking, stepping, working }) {
  try {
    const place = JSON.parse(kept().value ?? "{}");
    tab.value = place.tab ?? "why";
    asking.selected.value = place.selected ?? null;
    stepping.wanted.value = place.step ?? null;
    working.value = place.working ?? "";
  } catch {
    // What cannot be read is forgotten.
  }
}
