/** A unit: its sum and its output, what flows back through them, its bias. */
import { useStudio } from "../parts/context.js";
import { Name } from "../parts/Name.jsx";
import { gradientName } from "../parts/names.js";
import { toNumber } from "../parts/numbers.js";
import { useScrub } from "../parts/useScrub.js";
import { useShown } from "../parts/useShown.js";
import { lossOf } from "../store/store.js";
import { Target } from "./Target.jsx";

/** @typedef {import("../protocol").Unit} Unit */
/** @typedef {import("./columns.js").Box} Box */

/**
 * @param {{ unit: Unit, box: Box, detail: import("./columns.js").Detail, lit: string, reachable: boolean }} props
 */
export function UnitShape(props) {
  const { unit, box, detail, lit } = props;
  return (
    <g transform={`translate(${box.x},${box.y})`} class={`cg-unit is-${unit.kind} ${lit}`}>
      {detail === "full" ? <Full {...props} /> : <Small {...props} />}
    </g>
  );
}

/** @param {{ unit: Unit, box: Box, reachable: boolean }} props */
function Full({ unit, box, reachable }) {
  const { stepping, state, training } = useStudio();
  const loss = lossOf(state.value);
  const last = unit.quantities.at(-1) ?? unit.name;
  const paired = unit.sum !== null && unit.quantities.length > 1;
  const half = box.width / 2;
  if (unit.values) {
    return <Many unit={unit} box={box} reachable={reachable} />;
  }
  return (
    <>
      {paired ? (
        <>
          <Part
            id={unit.id}
            quantity={unit.quantities[0]}
            value={unit.sum}
            gradient={
              // While it trains, the steps are those of an update that is past.
              training.running.value
                ? null
                : stepping.revealed(gradientName(loss, unit.quantities[0]))
            }
            x={-half}
            width={half}
            side="left"
            height={box.height}
            reachable={reachable}
          />
          <Part
            id={unit.id}
            quantity={last}
            value={unit.value}
            gradient={unit.gradient}
            x={0}
            width={half}
            side="right"
            height={box.height}
            reachable={reachable}
          />
        </>
      ) : (
        <Part
          id={unit.id}
          quantity={last}
          value={unit.value}
          gradient={unit.gradient}
          input={unit.kind === "input"}
          x={-half}
          width={box.width}
          side="both"
          height={box.height}
          reachable={reachable}
        />
      )}
      {unit.bias && (
        <Bias
          id={unit.id}
          name={unit.bias.name}
          bias={unit.bias}
          y={box.height / 2 + 40}
          loss={loss}
          reachable={reachable}
        />
      )}
    </>
  );
}

/** A unit in all records at once: a bar for each. @param {{ unit: Unit, box: Box, reachable: boolean }} props */
function Many({ unit, box, reachable }) {
  const show = useShown(4);
  const values = (unit.values ?? []).map(toNumber);
  const largest = Math.max(...values.map(Math.abs).filter(Number.isFinite), 1e-12);
  const wide = (box.width - box.height) / values.length;
  const half = box.height / 2;
  return (
    <Target
      id={unit.id}
      quantity={unit.quantities.at(-1) ?? unit.name}
      reachable={reachable}
      class="cg-part"
      label={`${unit.name} in each record: ${values.map((value) => show(value)).join("; ")}`}
    >
      <path d={pill(-box.width / 2, box.height, box.width, "both")} class="cg-pill" />
      <text y={-half - 9} class="cg-label">
        <Name name={unit.name} most={15} />
      </text>
      {values.map((value, place) => (
        <rect
          key={place}
          class={`cg-tint ${value < 0 ? "is-negative" : "is-positive"}`}
          x={-box.width / 2 + half + place * wide + 1}
          width={Math.max(1, wide - 2)}
          y={value < 0 ? 0 : (-Math.abs(value) / largest) * (half - 4)}
          height={(Math.abs(value) / largest) * (half - 4) || 0}
        />
      ))}
      <line x1={-box.width / 2 + half} x2={box.width / 2 - half} y1={0} y2={0} class="cg-link" />
    </Target>
  );
}

/** One quantity of a unit: a half of the pill, or all of it.
 * @param {{ id: string, quantity: string, value: import("../protocol").Value | null, gradient: import("../protocol").Value | null,
 *   x: number, width: number, height: number, side: "left" | "right" | "both", input?: boolean, reachable: boolean }} props */
function Part({ id, quantity, value, gradient, x, width, height, side, input = false, reachable }) {
  const { stepping, state, asking } = useStudio();
  const show = useShown(4);
  const known = stepping.knows(quantity);
  const back = gradientName(lossOf(state.value), quantity);
  const backKnown = gradient !== null && stepping.knowsGradient(back);
  const scrub = useScrub({
    name: quantity,
    value: value ?? 0,
    locked: !input,
    onClick: () => void (asking.selected.value = quantity),
  });
  const now = stepping.now.value;
  const text = known ? show(value) : "·";
  return (
    <Target
      id={id}
      quantity={quantity}
      reachable={reachable}
      class={`cg-part is-${side}`}
      label={`${quantity}${known ? ` is ${show(value)}` : ""}${backKnown ? `, gradient ${show(gradient)}` : ""}`}
    >
      <path
        d={pill(x, height, width, side)}
        class={`cg-pill ${now === quantity ? "is-now" : ""}`}
      />
      <text x={x + width / 2} y={-height / 2 - 9} class="cg-label">
        <Name name={quantity} most={side === "both" ? 15 : 12} />
      </text>
      <text
        x={x + width / 2}
        y={5}
        class={`cg-value ${known ? "" : "is-unknown"} ${text.length > width / 11.5 ? "is-long" : ""}`}
        {...(input ? scrub : {})}
      >
        {text}
      </text>
      {backKnown && (
        <text
          x={x + width / 2}
          y={height / 2 + 17}
          class={`cg-gradient ${now === back ? "is-now" : ""}`}
        >
          {show(gradient, true)}
        </text>
      )}
    </Target>
  );
}

/** @param {{ id: string, name: string | null, bias: NonNullable<Unit["bias"]>, y: number, loss: string, reachable: boolean }} props */
function Bias({ id, name, bias, y, loss, reachable }) {
  const { stepping, asking } = useStudio();
  const show = useShown(4);
  const known = bias.gradient !== null && stepping.knowsGradient(gradientName(loss, name ?? ""));
  const choose = () => void (asking.selected.value = name);
  const scrub = useScrub({
    name: name ?? "",
    value: bias.value,
    onClick: choose,
    locked: name === null,
  });
  return (
    <Target
      id={`${id}:bias`}
      quantity={name}
      reachable={reachable}
      class="cg-bias"
      label={`bias ${name} is ${show(bias.value)}${known ? `, gradient ${show(bias.gradient)}` : ""}`}
    >
      <text x={0} y={y} class="cg-label" {...scrub}>
        {name !== null && <Name name={name} most={12} />}
        <tspan class="cg-number" dx="5">
          {show(bias.value)}
        </tspan>
        {known && (
          <tspan class="cg-gradient" dx="7">
            {show(bias.gradient, true)}
          </tspan>
        )}
      </text>
    </Target>
  );
}

/** Many units: only what can still be read; the colour says the value.
 * @param {{ unit: Unit, box: Box, detail: string, reachable: boolean }} props */
function Small({ unit, box, detail, reachable }) {
  const { stepping } = useStudio();
  const show = useShown(3);
  const quantity = unit.quantities.at(-1) ?? unit.name;
  const known = stepping.knows(quantity);
  const value = toNumber(unit.value ?? unit.values?.[0]);
  const text = known ? (unit.values ? "…" : show(unit.value)) : "·";
  const strength = known && Number.isFinite(value) ? Math.min(1, Math.abs(value)) : 0;
  return (
    <Target
      id={unit.id}
      quantity={quantity}
      reachable={reachable}
      class="cg-part"
      mute={detail === "dots"}
      label={`${quantity}${known ? ` is ${show(unit.value)}` : ""}, gradient ${show(unit.gradient)}`}
    >
      <rect
        x={-box.width / 2}
        y={-box.height / 2}
        width={box.width}
        height={box.height}
        rx={box.height / 2}
        class="cg-pill"
      />
      <rect
        x={-box.width / 2}
        y={-box.height / 2}
        width={box.width}
        height={box.height}
        rx={box.height / 2}
        class={`cg-tint ${value < 0 ? "is-negative" : "is-positive"}`}
        fill-opacity={0.45 * strength}
      />
      {detail === "values" && (
        <text
          y={5}
          class={`cg-value is-small ${known ? "" : "is-unknown"} ${text.length > box.width / 8 ? "is-long" : ""}`}
        >
          {text}
        </text>
      )}
    </Target>
  );
}

/** A pill or one end of it. @param {number} x @param {number} height @param {number} width @param {string} side */
function pill(x, height, width, side) {
  const r = height / 2;
  const [left, right] = [side !== "right", side !== "left"];
  return [
    `M${x + (left ? r : 0)},${-r}`,
    `H${x + width - (right ? r : 0)}`,
    right ? `a${r},${r} 0 0 1 0,${height}` : `v${height}`,
    `H${x + (left ? r : 0)}`,
    left ? `a${r},${r} 0 0 1 0,${-height}` : `v${-height}`,
    "Z",
  ].join("");
}
