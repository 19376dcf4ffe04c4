/** What the network says over its one input, with the records. */
import { toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";
import { project } from "./contour.js";

const WIDE = 380;
const HIGH = 220;

/** @param {{ curve: import("../protocol").Curve }} props */
export function CurveChart({ curve }) {
  const show = useShown(3);
  const ys = curve.ys.map(toNumber);
  const all = [...ys, ...curve.points.map(([, y]) => y)].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low || 1) * 0.06;
  const axis = /** @type {[string, number, number]} */ (["", low - pad, high + pad]);
  const line = curve.xs
    .map((x, place) =>
      Number.isFinite(ys[place])
        ? `${place ? "L" : "M"}${project(x, curve.x, WIDE).toFixed(1)},${(HIGH - project(ys[place], axis, HIGH)).toFixed(1)}`
        : "",
    )
    .join("");
  return (
    <figure class="cg-figure">
      <svg
        class="cg-curve"
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        role="img"
        aria-label={`What the network answers over ${curve.x[0]}, with ${curve.points.length} records`}
      >
        {curve.points.map(([x, y], place) => (
          <circle
            key={place}
            cx={project(x, curve.x, WIDE)}
            cy={HIGH - project(y, axis, HIGH)}
            r={4}
            class="cg-record is-negative"
          />
        ))}
        <path d={line} class="cg-fit" />
      </svg>
      <figcaption class="cg-legend">
        <span>{show(curve.x[1])}</span>
        <span class="cg-muted">{curve.x[0]}</span>
        <span>{show(curve.x[2])}</span>
      </figcaption>
    </figure>
  );
}
