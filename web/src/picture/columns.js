/** Where the units of a layered network stand. Positions only: every number comes with the scene. */

/** @typedef {import("../protocol").LayersScene} LayersScene */
/** @typedef {import("../protocol").Unit} Unit */
/** @typedef {{ x: number, y: number, width: number, height: number }} Box centre and size */
/** @typedef {{ x: number, y: number }} Point */
/** @typedef {"full" | "values" | "dots"} Detail */
/** @typedef {{ detail: Detail, upright: boolean, boxes: Map<string, Box>, titles: Point[], loss: Box,
 *   left: number, top: number, width: number, height: number }} Placed */

const SIZES = {
  full: {
    input: 80,
    single: 96,
    pair: 166,
    height: 44,
    pitch: 128,
    gap: 184,
    rowGap: 164,
    between: 100,
  },
  values: {
    input: 64,
    single: 64,
    pair: 64,
    height: 28,
    pitch: 46,
    gap: 150,
    rowGap: 110,
    between: 10,
  },
  dots: {
    input: 22,
    single: 22,
    pair: 22,
    height: 22,
    pitch: 29,
    gap: 190,
    rowGap: 150,
    between: 7,
  },
};
const MARGIN = { full: 70, values: 46, dots: 44 };
/** Titles may be wider than the first column. */
const SIDE = { full: 24, values: 44, dots: 84 };
const LOSS = { width: 108, height: 62 };
/** Few units stand further apart: there is room for what is written between them. */
const PITCH = [0, 0, 214, 172, 146];
/** The picture stands upright only where that makes it larger by this. */
const WORTH = 1.2;

/** How much can be written on the picture before it becomes noise. @param {LayersScene} scene @returns {Detail} */
export function detailOf(scene) {
  const tallest = Math.max(...scene.layers.map(({ units }) => units.length));
  if (tallest <= 4 && scene.weights.length <= 24) {
    return "full";
  }
  return tallest <= 12 ? "values" : "dots";
}

/**
 * From the left to the right, or from the top down where the page is narrow.
 * @param {LayersScene} scene
 * @param {{ width: number, height: number }} window
 * @returns {Placed}
 */
export function placed(scene, window) {
  return better(lying(scene), upright(scene), window);
}

/**
 * Upright only where that makes the picture a good deal larger.
 * @template {{ width: number, height: number }} Picture
 * @param {Picture} wide @param {Picture} high
 * @param {{ width: number, height: number }} window
 */
export function better(wide, high, window) {
  return scaleOf(high, window) > WORTH * scaleOf(wide, window) ? high : wide;
}

/** @param {{ width: number, height: number }} picture @param {{ width: number, height: number }} window */
function scaleOf(picture, window) {
  return Math.min(window.width / picture.width, window.height / picture.height);
}

/** @param {LayersScene} scene */
function tallestOf(scene) {
  return Math.max(...scene.layers.map(({ units }) => units.length), 1);
}

/** Layers as columns. @param {LayersScene} scene @returns {Placed} */
function lying(scene) {
  const detail = detailOf(scene);
  const size = SIZES[detail];
  const tallest = tallestOf(scene);
  const pitch = detail === "full" ? (PITCH[tallest] ?? size.pitch) : size.pitch;
  const height = (tallest - 1) * pitch + size.height;
  const margin = MARGIN[detail];
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  const titles = [];
  let left = 0;
  for (const { units } of scene.layers) {
    const width = Math.max(...units.map((unit) => widthOf(unit, size)), size.input);
    const top = (-(units.length - 1) * pitch) / 2;
    units.forEach((unit, row) => {
      boxes.set(unit.id, {
        x: left + width / 2,
        y: top + row * pitch,
        width: widthOf(unit, size),
        height: size.height,
      });
    });
    titles.push({ x: left + width / 2, y: -height / 2 - margin + 16 });
    left += width + size.gap;
  }
  const loss = { x: left + LOSS.width / 2 - (detail === "full" ? 24 : 50), y: 0, ...LOSS };
  return {
    detail,
    upright: false,
    boxes,
    titles,
    loss,
    left: -SIDE[detail],
    top: -height / 2 - margin,
    width: loss.x + loss.width / 2 + SIDE[detail] + 24,
    height: height + 2 * margin,
  };
}

/** Beside a row its title is written upwards. */
const TITLE = 34;

/** Layers as rows. @param {LayersScene} scene @returns {Placed} */
function upright(scene) {
  const detail = detailOf(scene);
  const size = SIZES[detail];
  const widest = Math.max(...scene.layers.map(({ units }) => rowWidth(units, size)), LOSS.width);
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  const titles = [];
  let y = 0;
  for (const { units } of scene.layers) {
    let left = -rowWidth(units, size) / 2;
    for (const unit of units) {
      const width = widthOf(unit, size);
      boxes.set(unit.id, { x: left + width / 2, y, width, height: size.height });
      left += width + size.between;
    }
    titles.push({ x: -widest / 2 - TITLE / 2, y });
    y += size.height + size.rowGap;
  }
  const loss = { x: 0, y: y - 24, ...LOSS };
  const top = -size.height / 2 - 56;
  return {
    detail,
    upright: true,
    boxes,
    titles,
    loss,
    left: -widest / 2 - TITLE,
    top,
    width: widest + TITLE + 14,
    height: loss.y + loss.height / 2 + 20 - top,
  };
}

/** @param {Unit[]} units @param {typeof SIZES["full"]} size */
function rowWidth(units, size) {
  return units.reduce((sum, unit) => sum + widthOf(unit, size) + size.between, -size.between);
}

/** @param {Unit} unit @param {typeof SIZES["full"]} size */
function widthOf(unit, size) {
  return unit.kind === "input" ? size.input : unit.sum === null ? size.single : size.pair;
}

/** The line of a weight, from one box's end to where the other begins. @param {Box} from @param {Box} to @param {boolean} upright */
export function line(from, to, upright) {
  return upright
    ? { x1: from.x, y1: from.y + from.height / 2, x2: to.x, y2: to.y - to.height / 2 }
    : { x1: from.x + from.width / 2, y1: from.y, x2: to.x - to.width / 2, y2: to.y };
}

/** @param {ReturnType<typeof line>} segment @param {number} share @returns {Point} */
export function along({ x1, y1, x2, y2 }, share) {
  return { x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share };
}

const SHARES = {
  lying: [0.36, 0.64, 0.3, 0.5, 0.7, 0.43, 0.57],
  upright: [0.5, 0.78, 0.38, 0.62, 0.28],
};

/**
 * Places on the lines for labels that do not cover each other; null where there is none left.
 * @param {ReturnType<typeof line>[]} lines
 * @param {{ width: number, height: number }} label
 * @param {boolean} upright
 * @returns {(Point | null)[]}
 */
export function labelled(lines, label, upright) {
  /** @type {Point[]} */
  const taken = [];
  return lines.map((segment) => {
    const free = SHARES[upright ? "upright" : "lying"]
      .map((share) => along(segment, share))
      .find((point) =>
        taken.every(
          (other) =>
            Math.abs(other.x - point.x) >= label.width ||
            Math.abs(other.y - point.y) >= label.height,
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
