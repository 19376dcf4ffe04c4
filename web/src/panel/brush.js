/** Drawing on a grid of pixels: how dark a stroke makes them. Positions only. */

/**
 * @param {number[]} pixels row by row, 0 … 1; not changed
 * @param {number} width
 * @param {{ x: number, y: number }} at in pixels
 * @param {number} size radius in pixels
 * @param {boolean} erase
 */
export function brushed(pixels, width, at, size, erase) {
  return pixels.map((before, place) => {
    const dx = (place % width) + 0.5 - at.x;
    const dy = Math.floor(place / width) + 0.5 - at.y;
    const ink = Math.max(0, Math.min(1, size + 0.5 - Math.hypot(dx, dy)));
    return erase ? Math.max(0, before - ink) : Math.max(before, ink);
  });
}

/** Along a line, so that a fast stroke has no holes.
 * @param {number[]} pixels @param {number} width @param {{ x: number, y: number }} from @param {{ x: number, y: number }} to
 * @param {number} size @param {boolean} erase */
export function stroked(pixels, width, from, to, size, erase) {
  const count = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 0.4));
  let result = pixels;
  for (let place = 1; place <= count; place++) {
    const share = place / count;
    result = brushed(
      result,
      width,
      { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share },
      size,
      erase,
    );
  }
  return result;
}
