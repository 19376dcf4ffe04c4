/** Changes, sent as fast as they can be followed, the last one always. */
import { latest } from "./queue.js";

/** At most one edit in so many milliseconds. */
const PAUSE = 30;

/** @typedef {ReturnType<typeof createEditing>} Editing */

/**
 * @param {import("../connection/connection").Connection} connection
 * @param {{ show: (state: import("../protocol").State) => void, complain: (error: unknown) => void }} page
 */
export function createEditing(connection, { show, complain }) {
  let gestures = 0;

  /** @param {import("../protocol").Request} request @returns {Promise<Error | null>} what was wrong with it */
  async function send(request) {
    try {
      show(await connection.call(request));
      return null;
    } catch (error) {
      complain(error);
      return /** @type {Error} */ (error);
    }
  }

  const stream = latest(async (/** @type {import("../protocol").Request} */ request) => {
    await send(request);
  }, { pause: PAUSE });

  return {
    /** One change by itself. @param {import("../protocol").Change} change */
    change: (change) => send({ do: "edit", change }),
    /** One of many changes of a gesture, that are undone together. @param {import("../protocol").Change} change @param {string} gesture */
    drag: (change, gesture) => stream({ do: "edit", change, gesture }),
    newGesture: () => `g${++gestures}`,
    undo: () => send({ do: "undo" }),
    redo: () => send({ do: "redo" }),
  };
}
