/** Why a number is what it is. */
import { useStudio } from "../parts/context.js";
import { Field } from "../parts/Field.jsx";
import { Name } from "../parts/Name.jsx";
import { inOrder } from "../parts/names.js";
import { NumberField } from "../parts/NumberField.jsx";
import { Slider } from "../parts/Slider.jsx";
import { Tex } from "../parts/Tex.jsx";
import { useShown } from "../parts/useShown.js";
import { Blocks } from "./Blocks.jsx";
import { Paths } from "./Paths.jsx";

export function Why() {
  const { asking } = useStudio();
  return (
    <div class="cg-why">
      <Chooser />
      {asking.selected.value === null ? <Invitation /> : <Answer />}
    </div>
  );
}

function Chooser() {
  const { asking, state } = useStudio();
  const names = askable(state.value);
  const selected = asking.selected.value;
  return (
    <div class="cg-chooser">
      <Field name="Quantity" class="is-wide">
        {(id) => (
          <select
            id={id}
            value={selected ?? ""}
            onChange={(event) => void (asking.selected.value = event.currentTarget.value || null)}
          >
            <option value="">choose, or click in the picture</option>
            {Object.entries(names).map(
              ([group, members]) =>
                members.length > 0 && (
                  <optgroup key={group} label={group}>
                    {members.map((name) => (
                      <option key={name} value={name}>
                        {name}
                      </option>
                    ))}
                  </optgroup>
                ),
            )}
            {selected !== null &&
              !Object.values(names).some((members) => members.includes(selected)) && (
                <option value={selected}>{selected}</option>
              )}
          </select>
        )}
      </Field>
      <Reading />
    </div>
  );
}

/** @param {import("../protocol").State | null} state @returns {Record<string, string[]>} */
function askable(state) {
  if (state === null) {
    return {};
  }
  if (state.scene.layout === "graph") {
    return { Quantities: state.scene.vertices.map(({ name }) => name) };
  }
  const { layers, weights, loss } = state.scene;
  const named = weights.flatMap(({ name, layer }) => (name === null ? [] : [{ name, layer }]));
  return {
    Weights: [...new Set(inOrder(named).map(({ name }) => name))],
    Biases: [
      ...new Set(
        layers.flatMap(({ units }) => units.flatMap(({ bias }) => (bias?.name ? [bias.name] : []))),
      ),
    ],
    Quantities: [
      ...layers.flatMap(({ units }) => units.flatMap(({ quantities }) => quantities)),
      loss.name,
    ],
  };
}

/** How the derivation is written. */
function Reading() {
  const { preferences } = useStudio();
  const { view, names, digits } = preferences;
  return (
    <div class="cg-reading">
      <div class="cg-segments" role="group" aria-label="View">
        {[
          ["board", "Board"],
          ["layer", "Layer"],
          ["paths", "Paths"],
        ].map(([key, title]) => (
          <button
            key={key}
            type="button"
            aria-pressed={view.value === key}
            onClick={() => void (view.value = key)}
          >
            {title}
          </button>
        ))}
      </div>
      <Field name="Names">
        {(id) => (
          <select
            id={id}
            value={names.value}
            onChange={(event) => void (names.value = event.currentTarget.value)}
          >
            {[
              ["lecture", "as given"],
              ["indexed", "indexed"],
              ["nielsen", "Nielsen"],
              ["pytorch", "PyTorch"],
            ].map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field name="Digits">
        {(id) => (
          <select
            id={id}
            value={digits.value}
            onChange={(event) => void (digits.value = Number(event.currentTarget.value))}
          >
            {Array.from({ length: 13 }, (_, count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}

function Invitation() {
  return (
    <div class="cg-invitation">
      <svg viewBox="0 0 220 70" width="220" height="70" aria-hidden="true">
        <line x1="32" y1="35" x2="188" y2="35" class="cg-line is-positive" stroke-width="4" />
        <circle cx="24" cy="35" r="18" class="cg-dot" />
        <circle cx="196" cy="35" r="18" class="cg-dot" />
        <text x="110" y="25" class="cg-label">
          <Name name="w5" />
        </text>
      </svg>
      <p>Click a weight, a unit or an edge of the picture.</p>
      <p class="cg-muted">
        What it depends on, each derivative with its number, and how they are put together, stands
        here then.
      </p>
    </div>
  );
}

function Answer() {
  const { asking, numbers, live } = useStudio();
  const show = useShown();
  const { selected, why, problem } = asking;
  const number = numbers.value.get(selected.value ?? "");
  const answer = why.value;
  return (
    <article class="cg-answer" aria-label={`Why ${selected.value}`}>
      {number && live && (
        <div class="cg-inspector">
          <NumberField
            name={/** @type {string} */ (selected.value)}
            label={
              <svg class="cg-inline-name" width="90" height="20" aria-hidden="true">
                <text x="0" y="14" class="cg-label is-start">
                  <Name name={selected.value ?? ""} most={11} />
                </text>
              </svg>
            }
            value={number.value}
          />
          <Slider name={/** @type {string} */ (selected.value)} value={number.value} />
        </div>
      )}
      {problem.value && (
        <p class="cg-problem" role="alert">
          {problem.value}
        </p>
      )}
      {answer && (
        <>
          <header class="cg-answer-head">
            <h2>
              <Tex latex={answer.title} text={answer.name} />
            </h2>
            <output class={`cg-answer-value ${answer.name.startsWith("∂") ? "is-gradient" : ""}`}>
              {show(answer.value)}
            </output>
          </header>
          <Paths paths={answer.paths} />
          <Blocks blocks={withoutTitle(answer)} />
        </>
      )}
    </article>
  );
}

/** The blocks but for a heading that says what stands above them already. @param {import("../protocol").Why} answer */
function withoutTitle({ name, blocks }) {
  const [first] = blocks;
  return first?.kind === "heading" && first.text === name ? blocks.slice(1) : blocks;
}
