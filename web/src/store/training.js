/** Training as it goes: events come in between the replies. */
import { signal } from "@preact/signals";
import { thinned } from "./thinned.js";

const KEPT = 500; // points of the curve of the loss

/** @typedef {ReturnType<typeof createTraining>} Training */

/**
 * @param {import("../connection/connection").Connection} connection
 * @param {import("@preact/signals").Signal<import("../protocol").State | null>} state
 * @param {import("./store.js").Page} page
 */
export function createTraining(connection, state, { turn, show, complain }) {
  const running = signal(false);
  const rate = signal(/** @type {number | null} */ (null));
  const said = signal("");

  connection.onEvent((event) => {
    if (event.event === "numbers" && state.value !== null) {
      // The picture of an edit comes before the formulas of its reply, if not too late.
      if (event.version > state.value.version) {
        state.value = { ...state.value, scene: event.scene, ahead: true };
      }
    } else if (event.event === "training" && state.value !== null) {
      const losses = thinned([...state.value.losses, ...event.losses], KEPT);
      running.value = true; // also where this page did not start it: it was refreshed, or joined again
      rate.value = event.rate;
      state.value = {
        ...state.value,
        updates: event.updates,
        loss: { ...state.value.loss, value: event.loss },
        losses,
        scene: event.scene,
        view: { ...state.value.view, ...event.view },
      };
    } else if (event.event === "trained") {
      running.value = false;
      rate.value = null;
      said.value = event.say ?? "";
      show(event.state);
    }
  });

  return {
    running,
    rate,
    said,
    async run(/** @type {number | null} */ until = null) {
      running.value = true;
      said.value = "";
      try {
        await connection.call({ do: "train", until });
      } catch (error) {
        running.value = false;
        complain(error);
      }
    },
    async pause() {
      await turn({ do: "pause" });
      running.value = false;
      rate.value = null;
    },
    step: (/** @type {number} */ count = 1) => turn({ do: "step", count }),
    epoch: () => turn({ do: "epoch" }),
    reset: () => turn({ do: "reset" }),
  };
}
