/** Everything a mounted studio knows, and what it can do. The engine's state is kept whole, as it came. */
import { computed, signal } from "@preact/signals";
import { Lost } from "../connection/calls.js";
import { createAsking } from "./asking.js";
import { createEditing } from "./editing.js";
import { createPreferences } from "./preferences.js";
import { createStepping } from "./stepping.js";
import { createTraining } from "./training.js";

/** @typedef {import("../protocol").State} State */
/** @typedef {ReturnType<typeof createStore>} Store */
/** @typedef {import("../protocol").Request} Request */
/** @typedef {{ attempt: (request: Request) => Promise<Error | null>, turn: (request: Request) => Promise<boolean>,
 *   show: (state: State) => void, complain: (error: unknown) => void }} Page what its parts do with replies */

/** @param {import("../connection/connection").Connection} connection */
export function createStore(connection) {
  const hello = signal(/** @type {import("../protocol").Hello | null} */ (null));
  const state = signal(/** @type {State | null} */ (null));
  const trouble = signal(/** @type {{ text: string, key: number } | null} */ (null));
  const tab = signal("why");
  const busy = signal(false);
  const dialog = signal(/** @type {"start" | "take" | "help" | null} */ (null));
  const touring = signal(false);
  const preferences = createPreferences();
  const stepping = createStepping(state, preferences.speed);
  const asking = createAsking(connection, state, preferences);
  let troubles = 0;

  /** @param {unknown} error */
  function complain(error) {
    if (!(error instanceof Lost)) {
      trouble.value = { text: /** @type {Error} */ (error).message, key: ++troubles };
    }
  }

  /** @param {State} next */
  function show(next) {
    const before = state.value;
    state.value = next;
    trouble.value = null;
    if (before !== null && before.title !== next.title) {
      asking.selected.value = null;
    }
  }

  /**
   * Ask for a state and show it.
   * @param {Request} request
   * @returns {Promise<Error | null>} what was wrong with it
   */
  async function attempt(request) {
    try {
      show(await connection.call(request));
      return null;
    } catch (error) {
      return /** @type {Error} */ (error);
    }
  }

  /**
   * Ask for a state and show it; complain where it is not granted.
   * @param {Request} request
   * @returns {Promise<boolean>} whether it was granted
   */
  async function turn(request) {
    const wrong = await attempt(request);
    if (wrong !== null) {
      complain(wrong);
    }
    return wrong === null;
  }

  const page = { attempt, turn, show, complain };
  const training = createTraining(connection, state, page);

  /** @param {Request} request */
  async function open(request) {
    busy.value = true;
    const granted = await turn(request);
    busy.value = false;
    if (granted) {
      asking.selected.value = null;
      training.said.value = "";
      stepping.pause();
      stepping.rest();
    }
    return granted;
  }

  const store = {
    connection,
    live: connection.live,
    hello,
    state,
    trouble,
    tab,
    busy,
    dialog,
    touring,
    preferences,
    stepping,
    asking,
    editing: createEditing(page),
    /** The working that is being marked; kept while other tabs are shown. */
    working: signal(""),
    training,
    /** Names of parameters, inputs and targets, with what they are now. */
    numbers: computed(() => numbersOf(state.value)),
    ...page,
    open,
  };
  return store;
}

/** @typedef {{ value: import("../protocol").Value, role: "weight" | "bias" | "input" | "target", layer: number }} Named */

/** @param {State | null} state @returns {Map<string, Named>} */
function numbersOf(state) {
  /** @type {Map<string, Named>} */
  const numbers = new Map();
  if (state?.scene.layout === "layers") {
    for (const { units, layer } of state.scene.layers) {
      for (const unit of units) {
        if (unit.kind === "input" && unit.value !== null) {
          numbers.set(unit.name, { value: unit.value, role: "input", layer });
        }
        if (unit.bias?.name) {
          numbers.set(unit.bias.name, { value: unit.bias.value, role: "bias", layer });
        }
        if (unit.target && unit.target.value !== null) {
          numbers.set(unit.target.name, { value: unit.target.value, role: "target", layer });
        }
      }
    }
    for (const { name, value, layer } of state.scene.weights) {
      if (name !== null) {
        numbers.set(name, { value, role: "weight", layer });
      }
    }
  } else if (state?.scene.layout === "graph") {
    const roles = { parameter: "weight", input: "input", target: "target" };
    for (const { name, kind, value } of state.scene.vertices) {
      const role = /** @type {any} */ (roles)[kind];
      if (role) {
        numbers.set(name, { value, role, layer: 0 });
      }
    }
  }
  return numbers;
}

/** What the gradients of the scene are of: of a selected record alone, that record's loss. @param {State | null} state */
export function lossOf(state) {
  return state === null
    ? ""
    : state.scene.layout === "layers"
      ? state.scene.loss.name
      : state.loss.name;
}
