/** Which session this tab belongs to: the same after a refresh, another one in every other tab. */
import { remembered, storage } from "../parts/memory.js";

const KEY = "chalkgrad-session";
/** Milliseconds in which a page that is being refreshed lets go of its key. */
const PATIENCE = 1500;

/** @returns {string} 32 hex digits */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Hold the key for as long as this page lives. A duplicated tab copies sessionStorage, and would disturb its twin:
 * there the lock is taken.
 * @param {string} key
 * @returns {Promise<boolean>}
 */
function hold(key) {
  if (!navigator.locks) {
    return Promise.resolve(true);
  }
  return new Promise((settle) => {
    navigator.locks
      .request(`chalkgrad-${key}`, { signal: AbortSignal.timeout(PATIENCE) }, () => {
        settle(true);
        return new Promise(() => {});
      })
      .catch(() => settle(false));
  });
}

/** @returns {Promise<{ key: string, fresh: boolean }>} */
export async function joinTab() {
  const known = remembered(storage("sessionStorage"), KEY);
  if (known.value && (await hold(known.value))) {
    return { key: known.value, fresh: false };
  }
  const key = newKey();
  known.value = key;
  await hold(key);
  return { key, fresh: true };
}
