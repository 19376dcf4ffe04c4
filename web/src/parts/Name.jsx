/** A name inside a picture: italic, with what follows its bar set low. */
import { shortened, split } from "./names.js";

/** @param {{ name: string, most?: number }} props */
export function Name({ name, most = 16 }) {
  const { base, low } = split(shortened(name, most));
  return (
    <>
      <tspan class="cg-name">{base}</tspan>
      {low && (
        <tspan class="cg-low" dy="3">
          {low}
        </tspan>
      )}
      {low && <tspan dy="-3">{"\u200b"}</tspan>}
    </>
  );
}
