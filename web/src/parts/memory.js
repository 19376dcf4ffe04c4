/** A value kept by the browser, if it allows that: private windows and frames may not. */

/**
 * @param {Storage | undefined} storage
 * @param {string} key
 */
export function remembered(storage, key) {
  return {
    /** @returns {string | null} */
    get value() {
      try {
        return storage?.getItem(key) ?? null;
      } catch {
        return null;
      }
    },
    set value(text) {
      try {
        if (text === null) {
          storage?.removeItem(key);
        } else {
          storage?.setItem(key, text);
        }
      } catch {
        // It is forgotten with the page, then.
      }
    },
  };
}

/** @param {"localStorage" | "sessionStorage"} which @returns {Storage | undefined} */
export function storage(which) {
  try {
    return window[which];
  } catch {
    return undefined;
  }
}
