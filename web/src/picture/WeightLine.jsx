/** A weight: blue and solid where it is positive, orange and dashed where it is negative, as wide as it is large. */
import { useStudio } from "../parts/context.js";
import { Name } from "../parts/Name.jsx";
import { gradientName } from "../parts/names.js";
import { toNumber } from "../parts/numbers.js";
import { useScrub } from "../parts/useScrub.js";
import { useShown } from "../parts/useShown.js";
import { strokeOf } from "./columns.js";
import { lossOf } from "../store/store.js";
import { Target } from "./Target.jsx";

/** @typedef {import("../protocol").Weight} Weight */

/**
 * @param {{ weight: Weight, at: { x1: number, y1: number, x2: number, y2: number }, largest: number, lit: string,
 *   phase: string, reachable: boolean }} props
 */
export function WeightLine({ weight, at, largest, lit, phase, reachable }) {
  const show = useShown(4);
  const value = toNumber(weight.value);
  const sign = value < 0 ? "is-negative" : "is-positive";
  const width = strokeOf(Math.abs(value), largest);
  const backward = phase === "backward";
  return (
    <Target
      id={weight.id}
      quantity={weight.name}
      mute={true}
      reachable={reachable}
      class={`cg-weight ${lit}`}
      label={`weight ${weight.name ?? ""} from ${weight.from} to ${weight.to} is ${show(weight.value)}, gradient ${show(weight.gradient)}`}
    >
      <line {...at} class="cg-catch" />
      <line
        {...at}
        class={`cg-line ${sign}`}
        stroke-width={width}
        stroke-dasharray={value < 0 ? `${4 + width} ${3 + width / 2}` : undefined}
      />
      {lit && (
        <line
          x1={backward ? at.x2 : at.x1}
          y1={backward ? at.y2 : at.y1}
          x2={backward ? at.x1 : at.x2}
          y2={backward ? at.y1 : at.y2}
          class={`cg-pulse is-${phase}`}
          pathLength={1}
          stroke-width={width + 2}
        />
      )}
    </Target>
  );
}

/** @param {{ weight: Weight, at: { x: number, y: number }, lit: string }} props */
export function WeightLabel({ weight, at, lit }) {
  const { stepping, state, asking, tab, training } = useStudio();
  const show = useShown(4);
  const name = weight.name ?? "";
  const choose = () => {
    asking.selected.value = name;
    tab.value = "why";
  };
  const scrub = useScrub({
    name,
    value: weight.value,
    onClick: choose,
    locked: weight.name === null,
  });
  const back = gradientName(lossOf(state.value), name);
  const known = weight.gradient !== null && stepping.knowsGradient(back);
  // While it trains, the steps are those of an update that is past.
  const renewed = training.running.value ? null : stepping.revealed(`new ${name}`);
  const now = stepping.now.value;
  return (
    <g
      transform={`translate(${at.x},${at.y})`}
      class={`cg-weight-label ${lit}`}
      aria-hidden="true"
      data-label={name}
      {...scrub}
      onPointerEnter={() => void (asking.pointed.value = weight.id)}
      onPointerLeave={() => void (asking.pointed.value = null)}
    >
      <rect x={-46} y={-22} width={92} height={known ? 44 : 28} class="cg-catch-box" />
      <text y={-7} class="cg-label">
        {weight.name && <Name name={weight.name} most={10} />}
        <tspan class="cg-number" dx="5">
          {show(weight.value)}
        </tspan>
      </text>
      {renewed !== null ? (
        <text y={19} class={`cg-new ${now === `new ${name}` ? "is-now" : ""}`}>
          {`→ ${show(renewed)}`}
        </text>
      ) : known ? (
        <text y={19} class={`cg-gradient ${now === back ? "is-now" : ""}`}>
          {show(weight.gradient, true)}
        </text>
      ) : null}
    </g>
  );
}
