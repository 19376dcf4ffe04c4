/** Requests that may come faster than their replies: one at a time, the last one always. */

/**
 * @template T
 * @param {(value: T) => Promise<void>} work
 * @param {{ pause?: number, merge?: (waiting: T, next: T) => T }} [options] at least so many milliseconds between
 */
export function latest(work, { pause = 0, merge = (_waiting, next) => next } = {}) {
  /** @type {{ value: T } | null} */
  let waiting = null;
  let busy = false;

  async function run() {
    busy = true;
    while (waiting !== null) {
      const { value } = waiting;
      waiting = null;
      const began = performance.now();
      await work(value);
      const left = pause - (performance.now() - began);
      if (left > 0) {
        await new Promise((later) => setTimeout(later, left));
      }
    }
    busy = false;
  }

  /** @param {T} value */
  return function submit(value) {
    waiting = { value: waiting === null ? value : merge(waiting.value, value) };
    if (!busy) {
      run();
    }
  };
}
