/** A curve with too many points to draw, evenly thinned. */

/**
 * At most so many points, evenly spread over their updates, the first and the last among them.
 * @template {[number, ...unknown[]]} Point
 * @param {Point[]} points @param {number} most
 * @returns {Point[]}
 */
export function thinned(points, most) {
  if (points.length <= most) {
    return points;
  }
  const last = points[points.length - 1];
  const [first] = points[0];
  /** @type {Map<number, Point>} */
  const kept = new Map();
  for (const point of points.slice(0, -1)) {
    const place = Math.floor(((point[0] - first) * (most - 1)) / (last[0] - first));
    if (!kept.has(place)) {
      kept.set(place, point);
    }
  }
  return [...kept.values(), last];
}
