/** Where the units of a layered network stand. Positions only: every number comes with the scene. */

/** @typedef {import("../protocol").LayersScene} LayersScene */
/** @typedef {import("../protocol").Unit} Unit */
/** @typedef {{ x: number, y: number, width: number, height: number }} Box centre and size */
/** @typedef {{ x: number, y: number }} Point */
/** @typedef {"full" | "values" | "dots"} Detail */
/** @typedef {{ detail: Detail, boxes: Map<string, Box>, columns: { x: number, top: number }[],
 *   loss: Box, left: number, top: number, width: number, height: number }} Placed */

const SIZES = {
  full: { input: 96, single: 104, pair: 172, height: 42, pitch: 148, gap: 150 },
  values: { input: 64, single: 64, pair: 64, height: 28, pitch: 46, gap: 150 },
  dots: { input: 22, single: 22, pair: 22, height: 22, pitch: 29, gap: 190 },
};
const MARGIN = { full: 70, values: 46, dots: 44 };
const LOSS = { width: 116, height: 58 };

/** How much can be written on the picture before it becomes noise. @param {LayersScene} scene @returns {Detail} */
export function detailOf(scene) {
  const tallest = Math.max(...scene.layers.map(({ units }) => units.length));
  if (tallest <= 5 && scene.weights.length <= 30) {
    return "full";
  }
  return tallest <= 12 ? "values" : "dots";
}

/** @param {LayersScene} scene @returns {Placed} */
export function placed(scene) {
  const detail = detailOf(scene);
  const size = SIZES[detail];
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  const columns = [];
  let left = 0;
  for (const { units } of scene.layers) {
    const width = Math.max(...units.map((unit) => widthOf(unit, size)), size.input);
    const top = (-(units.length - 1) * size.pitch) / 2;
    units.forEach((unit, row) => {
      const box = { x: left + width / 2, y: top + row * size.pitch, width: widthOf(unit, size), height: size.height };
      boxes.set(unit.id, box);
    });
    columns.push({ x: left + width / 2, top: top - size.height / 2 });
    left += width + size.gap;
  }
  const loss = { x: left + LOSS.width / 2 - (detail === "full" ? 0 : 50), y: 0, ...LOSS };
  const tallest = Math.max(...scene.layers.map(({ units }) => units.length), 1);
  const height = (tallest - 1) * size.pitch + size.height;
  const margin = MARGIN[detail];
  return {
    detail,
    boxes,
    columns,
    loss,
    left: -24,
    top: -height / 2 - margin,
    width: loss.x + loss.width / 2 + 48,
    height: height + 2 * margin,
  };
}

/** @param {Unit} unit @param {typeof SIZES["full"]} size */
function widthOf(unit, size) {
  return unit.kind === "input" ? size.input : unit.sum === null ? size.single : size.pair;
}

/** The line of a weight, from the right of one box to the left of the other. @param {Box} from @param {Box} to */
export function line(from, to) {
  return { x1: from.x + from.width / 2, y1: from.y, x2: to.x - to.width / 2, y2: to.y };
}

/** @param {ReturnType<typeof line>} segment @param {number} share @returns {Point} */
export function along({ x1, y1, x2, y2 }, share) {
  return { x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share };
}

const SHARES = [0.3, 0.68, 0.22, 0.42, 0.56, 0.78];

/**
 * Places on the lines for labels that do not cover each other; null where there is none left.
 * @param {ReturnType<typeof line>[]} lines
 * @param {{ width: number, height: number }} label
 * @returns {(Point | null)[]}
 */
export function labelled(lines, label) {
  /** @type {Point[]} */
  const taken = [];
  return lines.map((segment) => {
    const free = SHARES.map((share) => along(segment, share)).find((point) =>
      taken.every(
        (other) =>
          Math.abs(other.x - point.x) >= label.width || Math.abs(other.y - point.y) >= label.height,
      ),
    );
    if (free) {
      taken.push(free);
    }
    return free ?? null;
  });
}

/** A weight's width on the picture, by its size among all. @param {number} size @param {number} largest */
export function strokeOf(size, largest) {
  if (!Number.isFinite(size)) {
    return 1;
  }
  return 1 + 5 * Math.sqrt(Math.min(1, size / (largest || 1)));
}
