/** Pan and zoom of the picture; fitted again when what it shows or the window changes, unless a person moved it. */
import { select } from "d3-selection";
import { zoom, zoomIdentity } from "d3-zoom";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** @typedef {{ left: number, top: number, width: number, height: number }} Bounds */

const LARGEST = 1.35;

/** @param {Bounds} bounds @param {number} width @param {number} height */
function fitted({ left, top, width: wide, height: high }, width, height) {
  const scale = Math.min(width / wide, height / high, LARGEST);
  return {
    k: scale,
    x: width / 2 - (left + wide / 2) * scale,
    y: height / 2 - (top + high / 2) * scale,
  };
}

/** @param {Bounds} bounds */
export function usePanZoom(bounds) {
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const behaviour = useRef(
    /** @type {import("d3-zoom").ZoomBehavior<SVGSVGElement, unknown> | null} */ (null),
  );
  const moved = useRef(false);
  const [transform, setTransform] = useState({ k: 1, x: 0, y: 0 });
  const { left, top, width, height } = bounds;

  const fit = useCallback(() => {
    const element = svg.current;
    if (!element || !behaviour.current) {
      return;
    }
    const { k, x, y } = fitted(
      { left, top, width, height },
      element.clientWidth,
      element.clientHeight,
    );
    moved.current = false;
    select(element).call(behaviour.current.transform, zoomIdentity.translate(x, y).scale(k));
  }, [left, top, width, height]);

  useLayoutEffect(() => {
    const element = /** @type {SVGSVGElement} */ (svg.current);
    const pan = /** @type {import("d3-zoom").ZoomBehavior<SVGSVGElement, unknown>} */ (zoom());
    pan
      .scaleExtent([0.08, 6])
      // What is scrubbed is not panned.
      .filter(
        (event) =>
          !event.button && !(/** @type {Element} */ (event.target).closest("[data-scrub]")),
      )
      .on("zoom", ({ transform: { k, x, y }, sourceEvent }) => {
        moved.current ||= Boolean(sourceEvent);
        setTransform({ k, x, y });
      });
    behaviour.current = pan;
    select(element).call(pan).on("dblclick.zoom", null);
    return () => void select(element).on(".zoom", null);
  }, []);

  useLayoutEffect(fit, [fit]);
  useEffect(() => {
    const watcher = new ResizeObserver(() => {
      if (!moved.current) {
        fit();
      }
    });
    watcher.observe(/** @type {SVGSVGElement} */ (svg.current));
    return () => watcher.disconnect();
  }, [fit]);

  /** @param {number} factor */
  function scaleBy(factor) {
    const element = svg.current;
    if (element && behaviour.current) {
      moved.current = true;
      select(element).call(behaviour.current.scaleBy, factor);
    }
  }

  return { svg, transform, fit, scaleBy };
}
