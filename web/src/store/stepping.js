/** Where in the passes the page stands: `position` steps are done, the next one is still to come. */
import { computed, effect, signal } from "@preact/signals";

/** Milliseconds a step stays, at speed 1. */
const PACE = 1100;

/** @typedef {ReturnType<typeof createStepping>} Stepping */

/**
 * @param {import("@preact/signals").ReadonlySignal<import("../protocol").State | null>} state
 * @param {import("@preact/signals").Signal<number>} speed
 */
export function createStepping(state, speed) {
  const steps = computed(() => state.value?.steps ?? []);
  const lastBackward = computed(() => steps.value.findLastIndex(({ phase }) => phase !== "update"));
  /** Null: at rest, where all values and gradients are known and nothing is being computed. */
  const wanted = signal(/** @type {number | null} */ (null));
  const position = computed(() =>
    Math.min(wanted.value ?? lastBackward.value + 1, steps.value.length),
  );
  const resting = computed(() => wanted.value === null);
  const playing = signal(false);
  /** The name whose number is being computed where the page stands. */
  const now = computed(() => (resting.value ? null : (current.value?.reveals ?? null)));
  const current = computed(() => (position.value > 0 ? steps.value[position.value - 1] : null));
  /** The first step that reveals each name, so that all before it are still unknown. */
  const firsts = computed(() => {
    /** @type {Map<string, number>} */
    const places = new Map();
    steps.value.forEach(({ reveals }, place) => {
      if (!places.has(reveals)) {
        places.set(reveals, place);
      }
    });
    return places;
  });

  /** @param {number} target */
  function go(target) {
    const end = steps.value.length;
    const place = Math.max(0, Math.min(target, end));
    // The end is wherever the passes end, also after units were added.
    wanted.value = place === end ? Infinity : place;
  }

  effect(() => {
    if (!playing.value) {
      return undefined;
    }
    if (position.value >= steps.value.length) {
      playing.value = false;
      return undefined;
    }
    const timer = setTimeout(() => go(position.value + 1), PACE / speed.value);
    return () => clearTimeout(timer);
  });

  /** @param {number} target */
  function jump(target) {
    playing.value = false;
    go(target);
  }

  return {
    steps,
    position,
    playing,
    current,
    now,
    resting,
    rest: () => void (wanted.value = null),
    /** Where a refreshed page goes on. */
    wanted,
    /** Whether the number of this name is known where the page stands. @param {string} name */
    knows(name) {
      const place = firsts.value.get(name);
      return place === undefined || place < position.value;
    },
    /** Whether the gradient of this name is known: one that no step reveals, when the backward pass is done. @param {string} name */
    knowsGradient(name) {
      const place = firsts.value.get(name) ?? lastBackward.value;
      return place < position.value;
    },
    /** @param {string} name @returns {import("../protocol").Value | null} */
    revealed(name) {
      const place = firsts.value.get(name);
      return place === undefined || place >= position.value ? null : steps.value[place].value;
    },
    forward: () => jump(position.value + 1),
    back: () => jump(position.value - 1),
    toStart: () => jump(0),
    toEnd: () => jump(Infinity),
    jump,
    play() {
      if (position.value >= steps.value.length) {
        go(0);
      }
      playing.value = true;
    },
    pause: () => void (playing.value = false),
    toggle() {
      if (playing.value) {
        this.pause();
      } else {
        this.play();
      }
    },
  };
}
