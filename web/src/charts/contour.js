/** Where a surface given on a grid crosses a level: marching squares, as line segments. Positions only. */

/**
 * @param {number[]} values row by row, the first row on top
 * @param {number} size of a side
 * @param {number} level
 * @returns {[number, number, number, number][]} segments, in cells
 */
export function contour(values, size, level) {
  /** @type {[number, number, number, number][]} */
  const segments = [];
  /** @param {number} column @param {number} row */
  const at = (column, row) => values[row * size + column] - level;
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const crossed = crossings(at, column, row);
      for (let place = 0; place + 1 < crossed.length; place += 2) {
        segments.push([...crossed[place], ...crossed[place + 1]]);
      }
    }
  }
  return segments;
}

/** @param {(column: number, row: number) => number} at @param {number} column @param {number} row */
function crossings(at, column, row) {
  const corners = /** @type {const} */ ([
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ]);
  /** @type {[number, number][]} */
  const crossed = [];
  corners.forEach(([right, down], place) => {
    const [nextRight, nextDown] = corners[(place + 1) % 4];
    const here = at(column + right, row + down);
    const there = at(column + nextRight, row + nextDown);
    if (here < 0 !== there < 0) {
      const share = here / (here - there);
      crossed.push([
        column + right + (nextRight - right) * share,
        row + down + (nextDown - down) * share,
      ]);
    }
  });
  return crossed;
}

/** A place on an axis. @param {number} value @param {[string, number, number]} axis @param {number} length */
export function project(value, [, low, high], length) {
  return ((value - low) / (high - low || 1)) * length;
}
