/** What the network says over the plane of its two inputs, with the records on it. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";
import { contour, project } from "./contour.js";

const SIDE = 300;

/** @param {string} hex @returns {[number, number, number]} */
function rgb(hex) {
  const whole = parseInt(hex.slice(1), 16);
  return [whole >> 16, (whole >> 8) & 255, whole & 255];
}

/** @param {{ plane: import("../protocol").Plane, theme: string }} props */
export function PlaneChart({ plane, theme }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const show = useShown(3);
  const values = plane.values.map(toNumber);

  useEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const style = getComputedStyle(element);
    const [positive, negative, paper] = ["--positive", "--negative", "--paper"].map((name) => rgb(style.getPropertyValue(name).trim()));
    const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    const image = context.createImageData(plane.size, plane.size);
    values.forEach((value, place) => {
      const [high, low] = [plane.high - plane.level || 1, plane.level - plane.low || 1];
      const far = value >= plane.level ? (value - plane.level) / high : (plane.level - value) / low;
      const share = 0.12 + 0.6 * Math.max(0, Math.min(1, far));
      const colour = value >= plane.level ? positive : negative;
      colour.forEach((part, channel) => {
        image.data[4 * place + channel] = Number.isFinite(value) ? paper[channel] + (part - paper[channel]) * share : paper[channel];
      });
      image.data[4 * place + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }, [plane, theme]);

  const boundary = useMemo(() => {
    const cell = SIDE / (plane.size - 1);
    return contour(values, plane.size, plane.level)
      .map(([x1, y1, x2, y2]) => `M${(x1 * cell).toFixed(1)},${(y1 * cell).toFixed(1)}L${(x2 * cell).toFixed(1)},${(y2 * cell).toFixed(1)}`)
      .join("");
  }, [plane]);

  return (
    <figure class="cg-figure">
      <div class="cg-plane">
        <canvas ref={canvas} width={plane.size} height={plane.size} aria-hidden="true" />
        <svg viewBox={`0 0 ${SIDE} ${SIDE}`} role="img" aria-label={`What the network answers over ${plane.x[0]} and ${plane.y[0]}, with ${plane.points.length} records`}>
          <path d={boundary} class="cg-boundary" />
          {plane.points.map(([x, y, target], place) => (
            <Dot key={place} x={project(x, plane.x, SIDE)} y={SIDE - project(y, plane.y, SIDE)} positive={target >= plane.level} />
          ))}
        </svg>
        <span class="cg-axis is-x">{plane.x[0]}</span>
        <span class="cg-axis is-y">{plane.y[0]}</span>
      </div>
      <figcaption class="cg-legend">
        <span><i class="cg-swatch is-positive" />{show(plane.high)}</span>
        <span class="cg-muted">boundary at {show(plane.level)}</span>
        <span><i class="cg-swatch is-negative" />{show(plane.low)}</span>
      </figcaption>
    </figure>
  );
}

/** A disc or a diamond, so that the colour is not needed. @param {{ x: number, y: number, positive: boolean }} props */
function Dot({ x, y, positive }) {
  return positive ? (
    <circle cx={x} cy={y} r={4} class="cg-record is-positive" />
  ) : (
    <path d={`M${x},${y - 5}l5,5l-5,5l-5,-5z`} class="cg-record is-negative" />
  );
}
