import { createContext } from "preact";
import { useContext } from "preact/hooks";

const Studio = createContext(/** @type {import("../store/store.js").Store | null} */ (null));

export const StudioProvider = Studio.Provider;

/** @returns {import("../store/store.js").Store} */
export function useStudio() {
  return /** @type {import("../store/store.js").Store} */ (useContext(Studio));
}
