/** The picture of the network, to be panned, zoomed and clicked. */
import { useMemo } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Icon } from "../parts/Icon.jsx";
import { GraphPicture, useGraphPlaces } from "./GraphPicture.jsx";
import { LayeredPicture, usePlaces } from "./LayeredPicture.jsx";
import { lightsOf } from "./lights.js";
import { usePanZoom } from "./usePanZoom.js";

export function Picture() {
  const store = useStudio();
  const state = store.state.value;
  if (state === null) {
    return <div class="cg-picture is-empty" />;
  }
  return state.scene.layout === "layers" ? <Layers scene={state.scene} /> : <Graph scene={state.scene} />;
}

/** @param {{ scene: import("../protocol").LayersScene }} props */
function Layers({ scene }) {
  const places = usePlaces(scene);
  const lights = useLights();
  return (
    <Frame bounds={places} dimmed={lights.hovered} detail={places.detail}>
      <LayeredPicture scene={scene} places={places} lights={lights} />
    </Frame>
  );
}

/** @param {{ scene: import("../protocol").GraphScene }} props */
function Graph({ scene }) {
  const places = useGraphPlaces(scene);
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
    <div class="cg-picture" data-tour="picture">
      <svg ref={svg} class={`cg-svg is-${detail} ${dimmed ? "is-dimmed" : ""}`} role="group" aria-label={`The network: ${state.value?.title ?? ""}`}>
        <g transform={`translate(${x},${y}) scale(${k})`}>{children}</g>
      </svg>
      <div class="cg-zoom" role="group" aria-label="Zoom">
        <button type="button" class="cg-icon-button" aria-label="Zoom in" title="Zoom in" onClick={() => scaleBy(1.3)}><Icon name="plus" /></button>
        <button type="button" class="cg-icon-button" aria-label="Zoom out" title="Zoom out" onClick={() => scaleBy(1 / 1.3)}><Icon name="minus" /></button>
        <button type="button" class="cg-icon-button" aria-label="Fit the picture" title="Fit" onClick={fit}><Icon name="fit" /></button>
      </div>
    </div>
  );
}
