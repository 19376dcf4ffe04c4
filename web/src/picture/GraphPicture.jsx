/** A formula as its graph: values go forward, each edge bears its local derivative. */
import { useMemo } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { pressed } from "../parts/pressed.js";
import { Name } from "../parts/Name.jsx";
import { gradientName } from "../parts/names.js";
import { useScrub } from "../parts/useScrub.js";
import { useShown } from "../parts/useShown.js";
import { curve, placedGraph, VERTEX } from "./graph.js";
import { lossOf } from "../store/store.js";
import { Target } from "./Target.jsx";

/** @typedef {import("../protocol").GraphScene} GraphScene */

/** @param {GraphScene} scene @param {import("./Picture.jsx").Size} size of the window */
export function useGraphPlaces(scene, size) {
  const shape = JSON.stringify([
    scene.vertices.map(({ id }) => id),
    scene.edges.map(({ id }) => id),
  ]);
  return useMemo(() => placedGraph(scene, size), [shape, size.width, size.height]);
}

/** @param {{ scene: GraphScene, places: ReturnType<typeof placedGraph>, lights: ReturnType<typeof import("./lights.js").lightsOf>["value"] }} props */
export function GraphPicture({ scene, places, lights }) {
  const reachable = scene.vertices.length + scene.edges.length <= 60;
  /** @param {boolean} on */
  const lit = (on) => (on ? `is-lit is-${lights.phase}` : "");
  return (
    <>
      <defs>
        <marker
          id="cg-arrow"
          viewBox="0 0 8 8"
          refX="7.5"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0,0.5 L7.5,4 L0,7.5 Z" class="cg-arrow" />
        </marker>
      </defs>
      {scene.edges.map((edge) => (
        <EdgeShape
          key={edge.id}
          edge={edge}
          at={/** @type {any} */ (places.edges.get(edge.id))}
          lit={lit(lights.edges.has(edge.id))}
          phase={lights.phase}
        />
      ))}
      {scene.vertices.map((vertex) => (
        <VertexShape
          key={vertex.id}
          vertex={vertex}
          at={/** @type {any} */ (places.vertices.get(vertex.id))}
          reachable={reachable}
          lit={lit(lights.units.has(vertex.id) || (lights.loss && vertex.kind === "loss"))}
        />
      ))}
    </>
  );
}

/** @param {{ edge: import("../protocol").Edge, at: { points: { x: number, y: number }[], label: { x: number, y: number } }, lit: string, phase: string }} props */
function EdgeShape({ edge, at, lit, phase }) {
  const { stepping, asking, tab, state } = useStudio();
  const show = useShown(4);
  const known = stepping.knows(edge.name);
  const from =
    state.value?.scene.layout === "graph"
      ? state.value.scene.vertices.find(({ id }) => id === edge.from)
      : null;
  const choose = () => {
    asking.selected.value = from?.name ?? null;
    asking.sought.value = edge.name;
    tab.value = "why";
  };
  const points = phase === "backward" ? at.points.toReversed() : at.points;
  return (
    <g
      class={`cg-edge cg-target ${lit}`}
      data-id={edge.id}
      tabindex={0}
      {...pressed(choose)}
      onPointerEnter={() => void (asking.pointed.value = edge.id)}
      onPointerLeave={() => void (asking.pointed.value = null)}
    >
      <title>{`${edge.name} = ${edge.formula ?? ""} = ${show(edge.value)}`}</title>
      <path d={curve(at.points)} class="cg-catch" fill="none" />
      <path d={curve(at.points)} class="cg-edge-line" marker-end="url(#cg-arrow)" />
      {lit && (
        <path d={curve(points)} class={`cg-pulse is-${phase}`} pathLength={1} stroke-width={4} />
      )}
      {known && (
        <text x={at.label.x} y={at.label.y} class="cg-edge-label">
          <tspan class="cg-name">{edge.name}</tspan>
          <tspan class="cg-number" x={at.label.x} dy="15">
            {show(edge.value)}
          </tspan>
        </text>
      )}
    </g>
  );
}

/** @param {{ vertex: import("../protocol").Vertex, at: { x: number, y: number }, lit: string, reachable: boolean }} props */
function VertexShape({ vertex, at, lit, reachable }) {
  const { stepping, state, asking, numbers } = useStudio();
  const show = useShown(4);
  const known = stepping.knows(vertex.name);
  const back = gradientName(lossOf(state.value), vertex.name);
  const backKnown = vertex.gradient !== null && stepping.knowsGradient(back);
  const free = numbers.value.has(vertex.name);
  const choose = () => void (asking.selected.value = vertex.name);
  const scrub = useScrub({ name: vertex.name, value: vertex.value, onClick: choose });
  const { width, height } = VERTEX;
  return (
    <g
      transform={`translate(${at.x},${at.y})`}
      class={`cg-unit is-${vertex.kind} ${free ? "is-input" : ""} ${lit}`}
    >
      <Target
        id={vertex.id}
        quantity={vertex.name}
        reachable={reachable}
        class="cg-part"
        label={`${vertex.name}${vertex.formula ? ` = ${vertex.formula}` : ""}${known ? ` is ${show(vertex.value)}` : ""}${backKnown ? `, gradient ${show(vertex.gradient)}` : ""}`}
      >
        <rect
          x={-width / 2}
          y={-height / 2}
          width={width}
          height={height}
          rx={free ? height / 2 : 10}
          class="cg-pill"
        />
        <text y={-6} class="cg-label is-inner">
          <Name name={vertex.name} most={13} />
        </text>
        <text y={14} class={`cg-value ${known ? "" : "is-unknown"}`} {...(free ? scrub : {})}>
          {known ? show(vertex.value) : "·"}
        </text>
        {backKnown && (
          <text y={height / 2 + 17} class="cg-gradient">
            {show(vertex.gradient, true)}
          </text>
        )}
      </Target>
    </g>
  );
}
