/** Changes, sent as fast as they can be followed, the last one always. */
/** At most one edit in so many milliseconds. */
const PAUSE = 30;

/** @typedef {ReturnType<typeof createEditing>} Editing */

/**
 * @param {import("./store.js").Page} page
 */
export function createEditing({ attempt, turn }) {
  let gestures = 0;

  /** Edits that wait for those before them. @type {import("../protocol").Request[]} */
  const waiting = [];
  let busy = false;

  async function follow() {
    busy = true;
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const began = performance.now();
      await turn(request);
      const left = PAUSE - (performance.now() - began);
      if (left > 0) {
        await new Promise((later) => setTimeout(later, left));
      }
    }
    busy = false;
  }

  /** @param {import("../protocol").Request} request */
  function stream(request) {
    const last = waiting.at(-1);
    if (last && last.gesture === request.gesture && sameThing(last.change, request.change)) {
      waiting[waiting.length - 1] = request;
    } else {
      waiting.push(request);
    }
    if (!busy) {
      follow();
    }
  }

  return {
    /** One change by itself. @param {import("../protocol").Change} change */
    change: (change) => turn({ do: "edit", change }),
    /** The same; what is wrong with it is for the caller to say. @param {import("../protocol").Change} change */
    attempt: (change) => attempt({ do: "edit", change }),
    /** One of many changes of a gesture, that are undone together. @param {import("../protocol").Change} change @param {string} gesture */
    drag: (change, gesture) => stream({ do: "edit", change, gesture }),
    newGesture: () => `g${++gestures}`,
    undo: () => turn({ do: "undo" }),
    redo: () => turn({ do: "redo" }),
  };
}

/** Whether the later change says all that the earlier one said. @param {any} earlier @param {any} later */
function sameThing(earlier, later) {
  const keys = (/** @type {any} */ change) =>
    JSON.stringify(Object.entries(change).map(([what, of]) => [what, Object.keys(Object(of))]));
  return keys(earlier) === keys(later);
}
