import { useEffect, useRef } from "preact/hooks";
import { useStudio } from "../parts/context.js";

/**
 * What lights its place in the picture for as long as it is pointed at, or has the focus; also when it goes away
 * meanwhile.
 * @param {import("../protocol").Lights} lights
 */
export function usePointing(lights) {
  const { lit } = useStudio().asking;
  const pointing = useRef(false);
  const enter = () => {
    pointing.current = true;
    lit.value = lights;
  };
  const leave = () => {
    pointing.current = false;
    lit.value = null;
  };
  useEffect(
    () => () => {
      if (pointing.current) {
        lit.value = null;
      }
    },
    [lit],
  );
  return {
    tabindex: 0,
    onPointerEnter: enter,
    onPointerLeave: leave,
    onFocus: enter,
    onBlur: leave,
  };
}
