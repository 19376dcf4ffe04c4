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
 * there the lock is taken. Only if it is, a page waits: on a busy machine a clock may strike before an answer is read.
 * @param {string} key
 * @returns {Promise<boolean>}
 */
async function hold(key) {
  if (!navigator.locks) {
    return true;
  }
  return (
    (await ask(key, { ifAvailable: true })) ||
    (await ask(key, { signal: AbortSignal.timeout(PATIENCE) }))
  );
}

/**
 * @param {string} key
 * @param {LockOptions} options
 * @returns {Promise<boolean>}
 */
function ask(key, options) {
  return new Promise((settle) => {
    navigator.locks
      .request(`chalkgrad-${key}`, options, (lock) => {
        settle(lock !== null);
        return lock === null ? null : new Promise(() => {});
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
