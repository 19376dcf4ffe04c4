/** A layer of which only some units are shown: which ones, and the way to the others. */
import { useStudio } from "../parts/context.js";
import { pressed } from "../parts/pressed.js";

/** @param {{ column: import("../protocol").Column, x: number, y: number }} props */
export function Fold({ column, x, y }) {
  const { turn, live } = useStudio();
  const last = column.first + column.units.length - 1;
  /** @param {number} from */
  const move = (from) => turn({ do: "unfold", layer: column.layer, from: Math.max(1, from) });
  return (
    <g transform={`translate(${x},${y})`} class="cg-fold">
      <text class="cg-column-title">{`${column.first}–${last} of ${column.count}`}</text>
      {live && column.first > 1 && (
        <Arrow
          x={-62}
          label={`earlier units of ${column.title}`}
          sign="‹"
          onClick={() => move(column.first - column.units.length)}
        />
      )}
      {live && last < column.count && (
        <Arrow
          x={62}
          label={`later units of ${column.title}`}
          sign="›"
          onClick={() => move(last + 1)}
        />
      )}
    </g>
  );
}

/** @param {{ x: number, label: string, sign: string, onClick: () => void }} props */
function Arrow({ x, label, sign, onClick }) {
  return (
    <g
      class="cg-target"
      tabindex={0}
      aria-label={label}
      transform={`translate(${x},-5)`}
      {...pressed(onClick)}
    >
      <circle r={12} class="cg-pill" />
      <text y={5} class="cg-value">
        {sign}
      </text>
    </g>
  );
}
