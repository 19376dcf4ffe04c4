/** Names as pictures write them: w5 with its 5 low, sum_h1 with its h1 low, L[2] with its record high. */

/**
 * @param {string} name
 * @returns {{ base: string, low: string, high: string }}
 */
export function split(name) {
  const record = /^(.+)\[(\d+)\]$/.exec(name);
  if (record) {
    return { ...split(record[1]), high: `(${record[2]})` };
  }
  const bar = name.indexOf("_");
  if (bar > 0 && bar < name.length - 1) {
    return { base: name.slice(0, bar), low: name.slice(bar + 1).replaceAll("_", ","), high: "" };
  }
  const tail = /^(.*[^\d.[\],\s(])(\d+)$/.exec(name);
  return tail ? { base: tail[1], low: tail[2], high: "" } : { base: name, low: "", high: "" };
}

/** @param {string} name @param {number} most @returns {string} */
export function shortened(name, most) {
  return name.length <= most
    ? name
    : `${name.slice(0, Math.ceil(most / 2) - 1)}…${name.slice(-Math.floor(most / 2))}`;
}

const { compare } = new Intl.Collator("en", { numeric: true });

/** Weights by their layers and names, w2 before w10; a scene has them by the units that they lead to.
 * @template {{ name: string, layer: number }} Weight @param {Weight[]} weights */
export function inOrder(weights) {
  return weights.toSorted((a, b) => a.layer - b.layer || compare(a.name, b.name));
}

/** @param {string} loss @param {string} name */
export function gradientName(loss, name) {
  return `∂${loss}/∂${name}`;
}
