/** A network in layers. */
import { useMemo } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Name } from "../parts/Name.jsx";
import { toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";
import { Fold } from "./Fold.jsx";
import { labelled, line, placed } from "./columns.js";
import { Target } from "./Target.jsx";
import { UnitShape } from "./UnitShape.jsx";
import { WeightLabel, WeightLine } from "./WeightLine.jsx";

/** As many places as Tab should stop at; beyond that the list of quantities is quicker. */
const REACHABLE = 60;
/** The place that a weight's label needs; upright pictures have less of it. */
const LABEL = { lying: { width: 104, height: 44 }, upright: { width: 92, height: 40 } };

/** @typedef {import("../protocol").LayersScene} LayersScene */

/** What decides where things stand, so that new numbers move nothing. @param {LayersScene} scene */
function shapeOf(scene) {
  return JSON.stringify([
    scene.layers.map(({ units, first }) => [first, units.map(({ id, sum }) => [id, sum === null])]),
    scene.weights.map(({ id }) => id),
  ]);
}

/** @param {LayersScene} scene @param {import("./Picture.jsx").Size} size of the window */
export function usePlaces(scene, size) {
  return useMemo(() => {
    const places = placed(scene, size);
    const lines = scene.weights.map(({ from, to }) =>
      line(boxOf(places, from), boxOf(places, to), places.upright),
    );
    const labels =
      places.detail === "full"
        ? labelled(lines, LABEL[places.upright ? "upright" : "lying"], places.upright)
        : [];
    return { ...places, lines, labels };
  }, [shapeOf(scene), size.width, size.height]);
}

/** @param {import("./columns.js").Placed} places @param {string} id */
function boxOf(places, id) {
  return places.boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 };
}

/** @param {{ scene: LayersScene, places: ReturnType<typeof usePlaces>, lights: ReturnType<typeof import("./lights.js").lightsOf>["value"] }} props */
export function LayeredPicture({ scene, places, lights }) {
  const largest = Math.max(
    ...scene.weights.map(({ value }) => Math.abs(toNumber(value))).filter(Number.isFinite),
    0.5,
  );
  const reachable = scene.weights.length + places.boxes.size <= REACHABLE;
  /** @param {boolean} on */
  const lit = (on) => (on ? `is-lit is-${lights.phase}` : "");
  return (
    <>
      {scene.weights.map((weight, place) => (
        <WeightLine
          key={weight.id}
          weight={weight}
          at={places.lines[place]}
          largest={largest}
          reachable={reachable}
          lit={lit(lights.weights.has(weight.id))}
          phase={lights.phase}
        />
      ))}
      <Links scene={scene} places={places} on={lights.loss} phase={lights.phase} />
      {places.labels.map(
        (at, place) =>
          at && (
            <WeightLabel
              key={scene.weights[place].id}
              weight={scene.weights[place]}
              at={at}
              lit={lit(lights.weights.has(scene.weights[place].id))}
            />
          ),
      )}
      {scene.layers.map((column, place) => (
        <g key={column.layer}>
          <text transform={titleAt(places, place)} class="cg-column-title">
            {column.title}
          </text>
          {column.folded && <Fold column={column} {...foldAt(places, place, column)} />}
          {column.units.map((unit) => (
            <UnitShape
              key={unit.id}
              unit={unit}
              box={boxOf(places, unit.id)}
              detail={places.detail}
              reachable={reachable}
              lit={lit(lights.units.has(unit.id))}
            />
          ))}
        </g>
      ))}
      <Loss scene={scene} box={places.loss} lit={lit(lights.loss)} />
    </>
  );
}

/** From the outputs to the loss, with the targets that it compares them with.
 * @param {{ scene: LayersScene, places: ReturnType<typeof usePlaces>, on: boolean, phase: string }} props */
function Links({ scene, places, on, phase }) {
  const outputs = scene.layers.at(-1)?.units ?? [];
  return (
    <>
      {outputs.map((unit) => {
        const box = boxOf(places, unit.id);
        const at = line(box, places.loss, places.upright);
        return (
          <g key={unit.id}>
            <line {...at} class={`cg-link ${on ? `is-lit is-${phase}` : ""}`} />
            {unit.target && places.detail === "full" && (
              <TargetValue target={unit.target} {...targetAt(places, box)} />
            )}
          </g>
        );
      })}
    </>
  );
}

/** @param {ReturnType<typeof usePlaces>} places @param {number} place of the layer */
function titleAt({ titles, upright }, place) {
  const { x, y } = titles[place];
  return `translate(${x},${y})${upright ? " rotate(-90)" : ""}`;
}

/** Where a target is written: beside the way from its output to the loss. @param {ReturnType<typeof usePlaces>} places @param {import("./columns.js").Box} box */
function targetAt({ upright }, box) {
  if (upright) {
    return { x: box.x + (box.x < 0 ? -92 : -20), y: box.y + 90 };
  }
  return { x: box.x + box.width / 2 + 14, y: box.y + (box.y > 0 ? 38 : -38) };
}

/** @param {ReturnType<typeof usePlaces>} places @param {number} place @param {import("../protocol").Column} column */
function foldAt(places, place, column) {
  if (places.upright) {
    const [first] = column.units;
    return { x: places.left + places.width / 2, y: boxOf(places, first.id).y + 40 };
  }
  return { x: places.titles[place].x, y: places.top + places.height - 14 };
}

/** @param {{ target: NonNullable<import("../protocol").Unit["target"]>, x: number, y: number }} props */
function TargetValue({ target, x, y }) {
  const show = useShown(4);
  return (
    <g transform={`translate(${x},${y})`} class="cg-target-value">
      <rect x={0} y={-15} width={112} height={26} rx={6} />
      <text x={56} y={3} class="cg-label">
        <Name name={target.name} most={9} />
        <tspan class="cg-number" dx="5">
          {show(target.value)}
        </tspan>
      </text>
    </g>
  );
}

/** @param {{ scene: LayersScene, box: import("./columns.js").Box, lit: string }} props */
function Loss({ scene, box, lit }) {
  const { stepping } = useStudio();
  const show = useShown(4);
  const { name, value } = scene.loss;
  const known = stepping.knows(name);
  return (
    <g transform={`translate(${box.x},${box.y})`} class={`cg-unit is-loss ${lit}`}>
      <Target
        id="loss"
        quantity={name}
        reachable={true}
        label={`the loss ${name}${known ? ` is ${show(value)}` : ""}`}
        class="cg-part"
      >
        <rect
          x={-box.width / 2}
          y={-box.height / 2}
          width={box.width}
          height={box.height}
          rx={10}
          class="cg-pill"
        />
        <text y={-6} class="cg-label is-inner">
          <Name name={name} most={12} />
        </text>
        <text y={15} class={`cg-value ${known ? "" : "is-unknown"}`}>
          {known ? show(value) : "·"}
        </text>
      </Target>
    </g>
  );
}
