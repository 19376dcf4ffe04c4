/** The picture of the network, to be panned, zoomed and clicked. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { IconButton } from "../parts/IconButton.jsx";
import { GraphPicture, useGraphPlaces } from "./GraphPicture.jsx";
import { LayeredPicture, usePlaces } from "./LayeredPicture.jsx";
import { lightsOf } from "./lights.js";
import { usePanZoom } from "./usePanZoom.js";

/** @typedef {{ width: number, height: number }} Size */

export function Picture() {
  const scene = useStudio().state.value?.scene;
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [size, setSize] = useState(/** @type {Size | null} */ (null));
  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (place.current);
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return (
    <div ref={place} class="cg-picture" data-tour="picture">
      {scene &&
        size &&
        (scene.layout === "layers" ? (
          <Layers scene={scene} size={size} />
        ) : (
          <Graph scene={scene} size={size} />
        ))}
    </div>
  );
}

/** @param {{ scene: import("../protocol").LayersScene, size: Size }} props */
function Layers({ scene, size }) {
  const places = usePlaces(scene, size);
  const lights = useLights();
  return (
    <Frame bounds={places} dimmed={lights.hovered} detail={places.detail}>
      <LayeredPicture scene={scene} places={places} lights={lights} />
    </Frame>
  );
}

/** @param {{ scene: import("../protocol").GraphScene, size: Size }} props */
function Graph({ scene, size }) {
  const places = useGraphPlaces(scene, size);
  const lights = useLights();
  return (
    <Frame bounds={places} dimmed={lights.hovered} detail="graph">
      <GraphPicture scene={scene} places={places} lights={lights} />
    </Frame>
  );
}

function useLights() {
  const store = useStudio();
  return useMemo(() => lightsOf(store), [store]).value;
}

/** @param {{ bounds: import("./usePanZoom.js").Bounds, dimmed: boolean, detail: string, children: import("preact").ComponentChildren }} props */
function Frame({ bounds, dimmed, detail, children }) {
  const { state } = useStudio();
  const { svg, transform, fit, scaleBy } = usePanZoom(bounds);
  const { k, x, y } = transform;
  return (
    <>
      <svg
        ref={svg}
        class={`cg-svg is-${detail} ${dimmed ? "is-dimmed" : ""}`}
        role="group"
        aria-label={`The network: ${state.value?.title ?? ""}`}
      >
        <g transform={`translate(${x},${y}) scale(${k})`}>{children}</g>
      </svg>
      <div class="cg-zoom" role="group" aria-label="Zoom">
        <IconButton icon="plus" name="Zoom in" onClick={() => scaleBy(1.3)} />
        <IconButton icon="minus" name="Zoom out" onClick={() => scaleBy(1 / 1.3)} />
        <IconButton icon="fit" name="Fit the picture" onClick={fit} />
      </div>
    </>
  );
}
