/** What is lit in the picture: by the current step, or by what is hovered beside it. */
import { computed } from "@preact/signals";

/** @typedef {import("../protocol").Lights} Lights */

/** @param {import("../store/store.js").Store} store */
export function lightsOf(store) {
  return computed(() => {
    const hovered = store.asking.lit.value;
    const step = store.stepping.current.value;
    const still = store.stepping.resting.value || store.training.running.value;
    const lights = hovered ?? (still ? null : step?.lights) ?? {};
    return {
      units: new Set(lights.units ?? []),
      weights: new Set(lights.weights ?? []),
      edges: new Set(lights.edges ?? []),
      loss: Boolean(lights.loss),
      phase: hovered ? "hover" : (step?.phase ?? "forward"),
      hovered: hovered !== null,
    };
  });
}

/** @param {Lights | null | undefined} lights @param {string} id */
export function touches(lights, id) {
  return Boolean(
    lights &&
    (lights.units?.includes(id) ||
      lights.weights?.includes(id) ||
      lights.edges?.includes(id) ||
      (id === "loss" && lights.loss)),
  );
}
