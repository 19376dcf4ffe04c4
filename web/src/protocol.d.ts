/** What the page and the engine say to each other: see chalkgrad/studio/PROTOCOL.md. */

/** A JSON number, or one that JSON cannot write. */
export type Value = number | "nan" | "inf" | "-inf";

export interface Lights {
  units?: string[];
  weights?: string[];
  edges?: string[];
  loss?: boolean;
}

export interface Start {
  key: string;
  group: "lectures" | "gallery" | "yours";
  title: string;
  about: string;
}

export interface Rule {
  name: string;
  title: string;
  settings: Record<string, Value | boolean>;
}

export interface Choices {
  activations: string[];
  losses: string[];
  rules: Rule[];
}

export interface Hello {
  version: number;
  chalkgrad: string;
  starts: Start[];
  choices: Choices;
  state: State | null;
}

export interface Unit {
  id: string;
  name: string;
  kind: "input" | "unit";
  quantities: string[];
  symbol: string;
  value: Value | null;
  gradient: Value | null;
  sum: Value | null;
  /** Of each record, where all are shown. */
  values?: Value[];
  target: { name: string; value: Value | null } | null;
  bias: { name: string | null; value: Value; gradient: Value | null; fixed: boolean } | null;
}

export interface Column {
  layer: number;
  title: string;
  units: Unit[];
  count: number;
  first: number;
  folded: boolean;
}

export interface Weight {
  id: string;
  name: string | null;
  from: string;
  to: string;
  value: Value;
  gradient: Value | null;
  layer: number;
  fixed: boolean;
}

export interface Vertex {
  id: string;
  name: string;
  symbol: string;
  kind: string;
  value: Value;
  gradient: Value | null;
  formula: string | null;
  latex: string | null;
}

export interface Edge {
  id: string;
  from: string;
  to: string;
  name: string;
  symbol: string;
  value: Value;
  formula: string | null;
  latex: string | null;
}

export interface LayersScene {
  layout: "layers";
  layers: Column[];
  weights: Weight[];
  loss: Vertex;
}

export interface GraphScene {
  layout: "graph";
  vertices: Vertex[];
  edges: Edge[];
}

export type Scene = LayersScene | GraphScene;

export type Phase = "forward" | "backward" | "update";

export interface Step {
  phase: Phase;
  name: string;
  words: string;
  symbol: string;
  latex: string;
  text: string;
  value: Value;
  lights: Lights;
  reveals: string;
}

export interface Plane {
  x: [string, number, number];
  y: [string, number, number];
  size: number;
  values: Value[];
  low: number;
  high: number;
  /** Null where the values are the numbers of classes. */
  level: number | null;
  classes?: number;
  points: [number, number, number][];
}

export interface Curve {
  x: [string, number, number];
  xs: number[];
  ys: Value[];
  points: [number, number][];
}

export interface Health {
  name: string;
  what: "saturated" | "dead" | "update ratio" | "fine";
  value: Value;
  say: string;
  severity?: "fault" | "warning" | null;
}

export interface Views {
  plane: Plane | null;
  curve: Curve | null;
  health: Health[] | null;
  gradients?: { name: string; size: Value }[] | null;
  digits: {
    width: number;
    height: number;
    labels: string[];
    /** Those of the selected record. */
    pixels?: number[] | null;
    label?: number | string | null;
  } | null;
}

export interface LayerSettings {
  layer: number;
  units: number;
  activation: string;
}

export interface Settings {
  update:
    ({ rule: string; learning_rate: Value } & Record<string, Value | boolean | string>) | null;
  /** Null in a formula, which is its own loss. */
  loss: { kind: string; over_records: string } | null;
  layers: LayerSettings[];
  seed: number;
  fixed: string[];
}

export interface State {
  /** The page's own: the scene is that of an edit whose reply is still to come. */
  ahead?: boolean;
  version: number;
  title: string;
  source: string | null;
  kind: "network" | "formula";
  loss: { name: string; value: Value; symbol: string };
  updates: number;
  losses: [number, Value][];
  records: number;
  record: number | null;
  record_names: string[];
  settings: Settings;
  scene: Scene;
  steps: Step[];
  undo: boolean;
  redo: boolean;
  worksheet: string | null;
  share: string | null;
  view: Views;
  notes: string[];
}

export interface Factor {
  text: string;
  latex: string;
  name: string;
  lights: Lights;
}

export interface Link {
  relation: string;
  text: string;
  latex: string;
  remark: string | null;
  factors: Factor[];
}

export interface Typeset {
  text: string;
  latex: string | null;
}

export type Block =
  | { kind: "heading"; level: number; text: string; latex: string | null }
  | { kind: "prose"; parts: { text: string; latex?: string | null; lights?: Lights }[] }
  | { kind: "equation"; label: string | null; left: Typeset; links: Link[] }
  | { kind: "table"; headings: (string | Typeset)[]; rows: Typeset[][] }
  | { kind: "picture"; svg: string; text: string }
  | { kind: "fold"; summary: string; blocks: Block[] };

export interface Path {
  through: string[];
  value: Value;
  share: number;
  lights: Lights;
}

export interface Why {
  name: string;
  value: Value;
  title: string;
  blocks: Block[];
  derivation: object;
  paths: Path[];
}

export interface Drawn {
  outputs: { label: string; value: Value }[];
  loss: Value | null;
}

export interface MarkedLine {
  line: number;
  status: string;
  say: string;
  mistake: string | null;
  expected: Value | string | null;
  lights: Lights;
}

export interface Marks {
  score: unknown;
  lines: MarkedLine[];
}

export interface Export {
  name: string;
  type: string;
  text?: string;
  base64?: string;
}

export interface NumbersEvent {
  event: "numbers";
  version: number;
  scene: Scene;
}

export interface TrainingEvent {
  event: "training";
  updates: number;
  loss: Value;
  losses: [number, Value][];
  scene: Scene;
  view: Views;
  rate: number;
}

export interface TrainedEvent {
  event: "trained";
  state: State;
  why: string;
  say: string;
}

export type StudioEvent =
  NumbersEvent | TrainingEvent | TrainedEvent | { event: "closing"; say?: string };

export type Change = Record<string, unknown>;

export interface Request {
  do: string;
  [field: string]: unknown;
}
