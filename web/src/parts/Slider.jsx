/** A slider around a number: it reaches as far as the number was large when it was taken hold of. */
import { useRef, useState } from "preact/hooks";
import { useStudio } from "./context.js";
import { snapped, toNumber } from "./numbers.js";

/** @param {number} value */
function reach(value) {
  const size = Math.max(1, Math.abs(value) * 2);
  return Math.ceil(size);
}

/** @param {{ name: string, value: import("../protocol").Value }} props */
export function Slider({ name, value }) {
  const { editing } = useStudio();
  const gesture = useRef("");
  const [held, setHeld] = useState(/** @type {number | null} */ (null));
  const number = toNumber(value);
  const far = held ?? reach(Number.isFinite(number) ? number : 1);
  const step = far / 200;
  return (
    <input
      type="range"
      class="cg-slider"
      aria-label={`${name}, slider`}
      min={-far}
      max={far}
      step={step}
      value={number}
      onPointerDown={() => {
        gesture.current = editing.newGesture();
        setHeld(far);
      }}
      onPointerUp={() => setHeld(null)}
      onKeyDown={() => {
        gesture.current ||= editing.newGesture();
      }}
      onBlur={() => {
        gesture.current = "";
        setHeld(null);
      }}
      onInput={(event) => {
        const next = snapped(Number(event.currentTarget.value), step / 10);
        editing.drag({ set: { [name]: next } }, gesture.current || editing.newGesture());
      }}
    />
  );
}
