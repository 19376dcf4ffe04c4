/** Where the vertices of a general graph stand: dagre's layered layout. */
import dagre from "@dagrejs/dagre";
import { better } from "./columns.js";

/** @typedef {import("../protocol").GraphScene} GraphScene */
/** @typedef {{ x: number, y: number }} Point */

export const VERTEX = { width: 116, height: 56 };
const LABEL = { width: 108, height: 34 };
const MARGIN = 40;

/** From the left to the right, or from the top down where the page is narrow.
 * @param {GraphScene} scene @param {{ width: number, height: number }} window */
export function placedGraph(scene, window) {
  return better(laidOut(scene, "LR"), laidOut(scene, "TB"), window);
}

/** @param {GraphScene} scene @param {"LR" | "TB"} direction */
function laidOut(scene, direction) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 44, ranksep: 56, edgesep: 26 });
  graph.setDefaultEdgeLabel(() => ({}));
  scene.vertices.forEach(({ id }) => graph.setNode(id, { ...VERTEX }));
  scene.edges.forEach(({ id, from, to }) =>
    graph.setEdge(from, to, { ...LABEL, labelpos: "c" }, id),
  );
  dagre.layout(graph);
  const vertices = new Map(
    scene.vertices.map(({ id }) => [id, /** @type {Point} */ (graph.node(id))]),
  );
  const edges = new Map(
    scene.edges.map(({ id, from, to }) => {
      const { points, x, y } = /** @type {any} */ (graph.edge(from, to, id));
      return [id, { points: /** @type {Point[]} */ (points), label: { x, y } }];
    }),
  );
  const { width = 0, height = 0 } = /** @type {{ width?: number, height?: number }} */ (
    graph.graph()
  );
  return {
    vertices,
    edges,
    left: -MARGIN,
    top: -MARGIN,
    width: width + 2 * MARGIN,
    height: height + 2 * MARGIN,
  };
}

/** A smooth line through points. @param {Point[]} points */
export function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x},${first.y}`;
  rest.forEach((point, place) => {
    const next = rest[place + 1];
    const end = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : point;
    path += next ? `Q${point.x},${point.y} ${end.x},${end.y}` : `L${point.x},${point.y}`;
  });
  return path;
}
