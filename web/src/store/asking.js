/** What was clicked, and why it is what it is. */
import { effect, signal } from "@preact/signals";
import { latest } from "./queue.js";

/** At most one question in so many milliseconds: while a weight is dragged, its edits come between. */
const PAUSE = 60;

/** @typedef {ReturnType<typeof createAsking>} Asking */

/**
 * @param {import("../connection/connection").Connection} connection
 * @param {import("@preact/signals").ReadonlySignal<import("../protocol").State | null>} state
 * @param {import("./preferences.js").Preferences} preferences
 */
export function createAsking(connection, state, preferences) {
  const selected = signal(/** @type {string | null} */ (null));
  const why = signal(/** @type {import("../protocol").Why | null} */ (null));
  const problem = signal(/** @type {string | null} */ (null));
  /** What a hovered factor or path points at, in the picture. */
  const lit = signal(/** @type {import("../protocol").Lights | null} */ (null));
  /** The id of what is hovered in the picture, for the formulas. */
  const pointed = signal(/** @type {string | null} */ (null));

  /** The equation that is looked for in the answer, by its left side. */
  const sought = signal(/** @type {string | null} */ (null));

  const ask = latest(
    async (/** @type {import("../protocol").Request} */ request) => {
      try {
        const answer = await connection.call(request);
        if (request.wrt === selected.value) {
          why.value = answer;
          problem.value = null;
        }
      } catch (error) {
        if (request.wrt === selected.value) {
          why.value = null;
          problem.value = /** @type {Error} */ (error).message;
        }
      }
    },
    { pause: PAUSE },
  );

  effect(() => {
    const wrt = selected.value;
    // Read, so that a change asks again.
    const version = state.value?.version;
    if (state.value?.ahead) {
      return;
    }
    const { view, names, digits } = preferences;
    if (wrt === null || version === undefined) {
      why.value = null;
      problem.value = null;
      return;
    }
    ask({ do: "why", wrt, view: view.value, names: names.value, digits: digits.value });
  });

  return { selected, why, problem, lit, pointed, sought };
}
