/** Which session this tab belongs to: the same after a refresh, another one in every other tab. */
import { remembered, storage } from "../parts/memory.js";

const KEY = "chalkgrad-session";

/** @returns {string} 32 hex digits */
export function newKey() {
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
    navigator.locks.request(`chalkgrad-${key}`, { ifAvailable: true }, (lock) => {
      settle(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
  });
}

/** @returns {Promise<{ key: string, fresh: boolean }>} */
export async function joinTab() {
  const known = remembered(storage("sessionStorage"), KEY);
  for (let attempt = 0; known.value && attempt < 4; attempt++) {
    if (await hold(known.value)) {
      return { key: known.value, fresh: false };
    }
    await new Promise((later) => setTimeout(later, 120));
  }
  const key = newKey();
  known.value = key;
  await hold(key);
  return { key, fresh: true };
}
