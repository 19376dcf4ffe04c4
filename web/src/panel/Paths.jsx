/** The ways on which a gradient comes together, each with its share. */
import { toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";
import { usePointing } from "./usePointing.js";

const SHOWN = 12;

/** @param {{ paths: import("../protocol").Path[] }} props */
export function Paths({ paths }) {
  if (!paths || paths.length < 2) {
    return null;
  }
  return (
    <section class="cg-paths" aria-label="Paths">
      <h3 class="cg-block-heading">{paths.length} paths</h3>
      <ol>
        {paths.slice(0, SHOWN).map((path, place) => (
          <Way key={place} path={path} />
        ))}
      </ol>
      {paths.length > SHOWN && <p class="cg-muted">and {paths.length - SHOWN} more</p>}
    </section>
  );
}

/** @param {{ path: import("../protocol").Path }} props */
function Way({ path }) {
  const show = useShown();
  const sign = toNumber(path.value) < 0 ? "is-negative" : "is-positive";
  return (
    <li class="cg-path" {...usePointing(path.lights)}>
      <span class="cg-path-through">{path.through.join(" → ")}</span>
      <span class="cg-path-value">{show(path.value, true)}</span>
      <span class="cg-share">
        <span class={`cg-share-bar ${sign}`} style={{ width: `${100 * Math.abs(path.share)}%` }} />
      </span>
    </li>
  );
}
