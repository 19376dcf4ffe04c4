/** What happens when the connection stands: for the first time, or again. */
import { remembered, storage } from "../parts/memory.js";
import { sharedHere } from "./address.js";
import { keepPlace, returnToPlace } from "./place.js";

/** What a first visit shows. */
const FIRST = "lecture_001";

/** @param {import("./store.js").Store} store */
export function join(store) {
  const { connection } = store;
  const seen = remembered(storage("localStorage"), "chalkgrad-seen");

  async function greet() {
    try {
      const hello = await connection.call({ do: "hello", version: 1 });
      const again = store.state.value;
      store.hello.value = hello;
      store.training.running.value = false; // if it still runs, its next event says so
      await settle(hello.state, again);
      if (again === null && connection.host === "server") {
        keepPlace(store);
      }
    } catch (error) {
      store.complain(error);
    }
  }

  /** @param {import("../protocol").State | null} kept @param {import("../protocol").State | null} again */
  async function settle(kept, again) {
    const share = connection.host === "server" ? sharedHere() : null;
    const pasted = share !== null && again === null && share !== connection.memory?.share;
    // A server that was started again knows nothing; the page does.
    const known =
      share ??
      again?.share ??
      (connection.memory?.fresh === false ? connection.memory.share : null);
    if (kept !== null && !pasted) {
      store.show(kept);
      if (again === null && connection.memory?.fresh === false) {
        returnToPlace(store);
      }
    } else if (known !== null) {
      await store.turn({ do: "open", share: known });
    } else if (again?.worksheet) {
      await store.turn({ do: "open", worksheet: again.worksheet, name: again.title });
    }
    if (store.state.value === null) {
      await store.open({ do: "open", start: firstOf(store) });
    }
    if (seen.value === null) {
      seen.value = "1";
      store.touring.value = true;
      store.stepping.toStart();
      store.stepping.play();
    }
  }

  connection.onOpen(greet);
}

/** @param {import("./store.js").Store} store */
function firstOf({ hello }) {
  const starts = hello.value?.starts ?? [];
  return (starts.find(({ key }) => key === FIRST) ?? starts[0])?.key ?? FIRST;
}
