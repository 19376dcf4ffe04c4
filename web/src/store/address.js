/** The state in the page's address, so that a copied address is a link to it. */
import { effect } from "@preact/signals";

const FIELD = "#s=";
const PAUSE = 400;

/** @returns {string | null} */
export function sharedHere() {
  return location.hash.startsWith(FIELD) ? location.hash.slice(FIELD.length) : null;
}

/** The address without its token: that opens one studio only, and is nobody else's. @param {string} share */
export function addressOf(share) {
  const url = new URL(location.href);
  url.searchParams.delete("token");
  url.hash = FIELD + share;
  return url.href;
}

/** Keep the address in step with the state, and the state with an address that is pasted.
 * @param {import("./store.js").Store} store */
export function keepAddress(store) {
  const memory = store.connection.memory;
  const follow = () => {
    const share = sharedHere();
    if (share !== null && share !== store.state.value?.share) {
      store.open({ do: "open", share });
    }
  };
  window.addEventListener("hashchange", follow);
  const forget = effect(() => {
    const state = store.state.value;
    if (state === null || state.ahead) {
      return undefined; // what an edit's address is comes with its formulas
    }
    const { share } = state;
    const timer = setTimeout(() => {
      history.replaceState(
        history.state,
        "",
        share === null ? location.pathname + location.search : FIELD + share,
      );
      if (memory) {
        memory.share = share;
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  });
  return () => {
    window.removeEventListener("hashchange", follow);
    forget();
  };
}
