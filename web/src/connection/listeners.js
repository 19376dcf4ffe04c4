/** @template T @returns {{ add: (listener: (value: T) => void) => void, tell: (value: T) => void }} */
export function listeners() {
  /** @type {((value: T) => void)[]} */
  const all = [];
  return {
    add: (listener) => void all.push(listener),
    tell: (value) => all.forEach((listener) => listener(value)),
  };
}
