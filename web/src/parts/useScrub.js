/** Dragging a number sideways, and clicking it where it was not dragged. */
import { useRef } from "preact/hooks";
import { useStudio } from "./context.js";
import { snapped, stepFor, toNumber } from "./numbers.js";

/** Pixels a step takes, and before a press counts as a drag. */
const STEP = 4;
const SLACK = 3;

/**
 * @param {{ name: string, value: import("../protocol").Value, onClick?: () => void, locked?: boolean }} what
 */
export function useScrub({ name, value, onClick, locked = false }) {
  const { editing, live } = useStudio();
  const drag = useRef(
    /** @type {{ x: number, from: number, step: number, gesture: string, moved: boolean } | null} */ (
      null
    ),
  );

  /** @param {PointerEvent} event */
  function onPointerDown(event) {
    if (event.button !== 0) {
      return;
    }
    const from = toNumber(value);
    drag.current = {
      x: event.clientX,
      from,
      step: stepFor(from),
      gesture: editing.newGesture(),
      moved: false,
    };
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  function onPointerMove(event) {
    const now = drag.current;
    if (!now || locked || !live || !Number.isFinite(now.from)) {
      return;
    }
    const way = event.clientX - now.x;
    now.moved ||= Math.abs(way) > SLACK;
    if (now.moved) {
      const step = event.shiftKey ? now.step * 10 : now.step;
      editing.drag(
        { set: { [name]: snapped(now.from + Math.round(way / STEP) * step, now.step / 10) } },
        now.gesture,
      );
    }
  }

  function onPointerUp() {
    const clicked = drag.current !== null && !drag.current.moved;
    drag.current = null;
    if (clicked) {
      onClick?.();
    }
  }

  return {
    onPointerDown,
    onPointerMove,
    onPointerUp,
    onPointerCancel: () => void (drag.current = null),
    "data-scrub": true,
  };
}
