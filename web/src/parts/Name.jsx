/** A name inside a picture: italic, with what follows its bar set low. */
import { shortened, split } from "./names.js";

/** @param {{ name: string, most?: number }} props */
export function Name({ name, most = 16 }) {
  const { base, low, high } = split(shortened(name, most));
  return (
    <>
      <tspan class="cg-name">{base}</tspan>
      {low && <Shifted text={low} by={3} />}
      {high && <Shifted text={high} by={-6} />}
    </>
  );
}

/** Set low or high; what follows it stands on the line again. @param {{ text: string, by: number }} props */
function Shifted({ text, by }) {
  return (
    <>
      <tspan class="cg-low" dy={by}>
        {text}
      </tspan>
      <tspan dy={-by}>{"\u200b"}</tspan>
    </>
  );
}
