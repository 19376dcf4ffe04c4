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

/** @param {{ plane: import("../protocol").Plane, dark: boolean }} props */
export function PlaneChart({ plane, dark }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const show = useShown(3);
  const values = plane.values.map(toNumber);

  useEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const style = getComputedStyle(element);
    /** @param {string} name */
    const named = (name) => rgb(style.getPropertyValue(name).trim());
    const paper = named("--paper");
    const tint = plane.level === null ? classTint(named) : levelTint(plane, plane.level, named);
    const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    const image = context.createImageData(plane.size, plane.size);
    values.forEach((value, place) => {
      const { colour, share } = Number.isFinite(value) ? tint(value) : { colour: paper, share: 0 };
      colour.forEach((part, channel) => {
        image.data[4 * place + channel] = paper[channel] + (part - paper[channel]) * share;
      });
      image.data[4 * place + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }, [plane, dark]);

  const boundary = useMemo(() => boundaryOf(plane, values), [plane]);
  const { level } = plane;

  return (
    <figure class="cg-figure">
      <div class="cg-plane">
        <canvas ref={canvas} width={plane.size} height={plane.size} aria-hidden="true" />
        <svg
          viewBox={`0 0 ${SIDE} ${SIDE}`}
          role="img"
          aria-label={`What the network answers over ${plane.x[0]} and ${plane.y[0]}, with ${plane.points.length} records`}
        >
          <path d={boundary} class="cg-boundary" />
          {plane.points.map(([x, y, target], place) =>
            level === null ? (
              <circle
                key={place}
                cx={project(x, plane.x, SIDE)}
                cy={SIDE - project(y, plane.y, SIDE)}
                r={4}
                class={`cg-record is-class-${target % CLASSES.length}`}
              />
            ) : (
              <Dot
                key={place}
                x={project(x, plane.x, SIDE)}
                y={SIDE - project(y, plane.y, SIDE)}
                positive={target >= level}
              />
            ),
          )}
        </svg>
        <span class="cg-axis is-x">{plane.x[0]}</span>
        <span class="cg-axis is-y">{plane.y[0]}</span>
      </div>
      {level !== null && (
        <figcaption class="cg-legend">
          <span>
            <i class="cg-swatch is-positive" />
            {show(plane.high)}
          </span>
          <span class="cg-muted">boundary at {show(level)}</span>
          <span>
            <i class="cg-swatch is-negative" />
            {show(plane.low)}
          </span>
        </figcaption>
      )}
    </figure>
  );
}

/** As strong as the value is far from the boundary.
 * @param {import("../protocol").Plane} plane @param {number} level @param {(name: string) => [number, number, number]} named */
function levelTint({ high, low }, level, named) {
  const [positive, negative] = [named("--positive"), named("--negative")];
  return (/** @type {number} */ value) => {
    const above = value >= level;
    const far = above
      ? (value - level) / (high - level || 1)
      : (level - value) / (level - low || 1);
    return {
      colour: above ? positive : negative,
      share: 0.12 + 0.6 * Math.max(0, Math.min(1, far)),
    };
  };
}

const CLASSES = ["--class-0", "--class-1", "--class-2", "--class-3", "--class-4", "--class-5"];

/** One colour for each class. @param {(name: string) => [number, number, number]} named */
function classTint(named) {
  const colours = CLASSES.map(named);
  return (/** @type {number} */ value) => ({
    colour: colours[Math.round(value) % colours.length],
    share: 0.5,
  });
}

/** The line between the sides, or the classes. @param {import("../protocol").Plane} plane @param {number[]} values */
function boundaryOf({ size, level, classes = 2 }, values) {
  const cell = SIDE / (size - 1);
  const levels =
    level === null ? Array.from({ length: classes - 1 }, (_, place) => place + 0.5) : [level];
  return levels
    .flatMap((at) => contour(values, size, at))
    .map(
      ([x1, y1, x2, y2]) =>
        `M${(x1 * cell).toFixed(1)},${(y1 * cell).toFixed(1)}L${(x2 * cell).toFixed(1)},${(y2 * cell).toFixed(1)}`,
    )
    .join("");
}

/** A disc or a diamond, so that the colour is not needed. @param {{ x: number, y: number, positive: boolean }} props */
function Dot({ x, y, positive }) {
  return positive ? (
    <circle cx={x} cy={y} r={4} class="cg-record is-positive" />
  ) : (
    <path d={`M${x},${y - 5}l5,5l-5,5l-5,-5z`} class="cg-record is-negative" />
  );
}
