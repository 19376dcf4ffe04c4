/** Everything that can be changed, and the worksheet as text. */
import { useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Field } from "../parts/Field.jsx";
import { NumberField } from "../parts/NumberField.jsx";
import { inOrder } from "../parts/names.js";
import { Icon } from "../parts/Icon.jsx";
import { IconButton } from "../parts/IconButton.jsx";

export function Change() {
  const { state, live } = useStudio();
  if (state.value === null) {
    return null;
  }
  if (!live) {
    return (
      <p class="cg-prose cg-muted">
        This page was saved. Open it in the studio to change it: <code>chalkgrad studio</code>.
      </p>
    );
  }
  return (
    <div class="cg-change">
      <Learning />
      {state.value.settings.layers.length > 0 && <Layers />}
      <Numbers />
      <Worksheet key={state.value.title} />
    </div>
  );
}

/** @param {string} what */
function useFixed(what) {
  return useStudio().state.value?.settings.fixed?.includes(what) ?? false;
}

/** A setting's name as a person says it. @param {string} name */
function said(name) {
  return name.replaceAll("_", " ");
}

function Learning() {
  const { state, hello, editing } = useStudio();
  const settings = /** @type {import("../protocol").State} */ (state.value).settings;
  const choices = hello.value?.choices;
  const { update, loss } = settings;
  const rule = choices?.rules.find(({ name }) => name === update?.rule);
  const lossFixed = useFixed("loss");
  return (
    <fieldset class="cg-group">
      <legend>Learning</legend>
      <div class="cg-grid">
        {loss !== null && (
          <Field name="Loss" class="is-wide">
            {(id) => (
              <select
                id={id}
                value={loss.kind}
                disabled={lossFixed}
                onChange={(event) => editing.change({ loss: { kind: event.currentTarget.value } })}
              >
                {!choices?.losses.includes(loss.kind) && (
                  <option value={loss.kind}>{said(loss.kind)}</option>
                )}
                {choices?.losses.map((kind) => (
                  <option key={kind} value={kind}>
                    {said(kind)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {loss !== null && (state.value?.records ?? 1) > 1 && (
          <Field name="Over records" class="is-wide">
            {(id) => (
              <select
                id={id}
                value={loss.over_records}
                disabled={lossFixed}
                onChange={(event) =>
                  editing.change({ loss: { over_records: event.currentTarget.value } })
                }
              >
                {[...new Set(["mean", "sum", loss.over_records])].map((kind) => (
                  <option key={kind} value={kind}>
                    {kind}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field name="Update rule" class="is-wide">
          {(id) => (
            <select
              id={id}
              value={update?.rule ?? ""}
              disabled={useFixed("update")}
              onChange={(event) => editing.change({ update: { rule: event.currentTarget.value } })}
            >
              {update === null && <option value="">none</option>}
              {choices?.rules.map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          )}
        </Field>
        {update !== null &&
          Object.entries({ ...rule?.settings, ...update })
            .filter(([name, value]) => name !== "rule" && typeof value === "number")
            .map(([name, value]) => (
              <Field name={said(name)} class="is-wide" key={name}>
                {(id) => (
                  <NumberField
                    id={id}
                    name={said(name)}
                    value={/** @type {number} */ (value)}
                    onChange={(next, gesture) =>
                      editing.drag({ update: { [name]: next } }, gesture)
                    }
                  />
                )}
              </Field>
            ))}
      </div>
    </fieldset>
  );
}

function Layers() {
  const { state, hello, editing } = useStudio();
  const settings = /** @type {import("../protocol").State} */ (state.value).settings;
  const activations = hello.value?.choices.activations ?? [];
  const shapeFixed = useFixed("layers");
  const unitsFixed = useFixed("units") || shapeFixed;
  const activationFixed = useFixed("activation") || useFixed("activations");
  const last = settings.layers.length;
  return (
    <fieldset class="cg-group">
      <legend>Layers</legend>
      <ol class="cg-layers">
        {settings.layers.map(({ layer, units, activation }) => (
          <li key={layer}>
            <span class="cg-layer-name">{layer === last ? "output" : `layer ${layer}`}</span>
            <select
              aria-label={`Activation of layer ${layer}`}
              value={activation}
              disabled={activationFixed}
              onChange={(event) =>
                editing.change({ activation: { layer, to: event.currentTarget.value } })
              }
            >
              {!activations.includes(activation) && (
                <option value={activation}>{activation}</option>
              )}
              {activations.map((name) => (
                <option key={name} value={name}>
                  {said(name)}
                </option>
              ))}
            </select>
            <Units layer={layer} units={units} fixed={unitsFixed || layer === last} />
            <IconButton
              icon="close"
              name={`Remove layer ${layer}`}
              hint="Remove this layer"
              disabled={shapeFixed || layer === last}
              onClick={() => editing.change({ layers: { remove: layer } })}
            />
          </li>
        ))}
      </ol>
      <div class="cg-row">
        <button
          type="button"
          class="cg-button"
          disabled={shapeFixed}
          onClick={() => editing.change({ layers: { add: last } })}
        >
          <Icon name="plus" />
          Hidden layer
        </button>
        <button
          type="button"
          class="cg-button"
          disabled={useFixed("seed")}
          onClick={() => editing.change({ seed: settings.seed + 1 })}
        >
          <Icon name="reset" />
          New weights
        </button>
        <span class="cg-muted">seed {settings.seed}</span>
      </div>
    </fieldset>
  );
}

/** How many units a layer has. Clicks may come faster than their replies: each counts on from the one before.
 * @param {{ layer: number, units: number, fixed: boolean }} props */
function Units({ layer, units, fixed }) {
  const { editing } = useStudio();
  const [wanted, setWanted] = useState(/** @type {number | null} */ (null));
  const count = wanted ?? units;
  /** @param {number} next */
  const change = async (next) => {
    setWanted(next);
    await editing.change({ units: { layer, count: next } });
    setWanted((latest) => (latest === next ? null : latest));
  };
  return (
    <span class="cg-stepper" role="group" aria-label={`Units of layer ${layer}`}>
      <button
        type="button"
        aria-label={`One unit fewer in layer ${layer}`}
        disabled={fixed || count <= 1}
        onClick={() => change(count - 1)}
      >
        <Icon name="minus" />
      </button>
      <output>{count}</output>
      <button
        type="button"
        aria-label={`One unit more in layer ${layer}`}
        disabled={fixed}
        onClick={() => change(count + 1)}
      >
        <Icon name="plus" />
      </button>
    </span>
  );
}

const ROLES = /** @type {const} */ ([
  ["weight", "Weights"],
  ["bias", "Biases"],
  ["input", "Inputs"],
  ["target", "Targets"],
]);
const MOST = 80;

function Numbers() {
  const { numbers } = useStudio();
  const all = Array.from(numbers.value, ([name, number]) => ({ name, ...number }));
  return ROLES.map(([role, title]) => {
    const given = all.filter((number) => number.role === role);
    const members = role === "weight" ? inOrder(given) : given;
    return (
      members.length > 0 && (
        <fieldset class="cg-group" key={role}>
          <legend>{title}</legend>
          <div class="cg-numbers">
            {members.slice(0, MOST).map(({ name, value }) => (
              <NumberField key={name} name={name} label={name} value={value} />
            ))}
          </div>
          {members.length > MOST && (
            <p class="cg-muted">{members.length - MOST} more: click one in the picture.</p>
          )}
        </fieldset>
      )
    );
  });
}

function Worksheet() {
  const { state, editing } = useStudio();
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const text = state.value?.worksheet;
  if (text === null || text === undefined) {
    return null;
  }
  const apply = async () => {
    const wrong = await editing.attempt({ worksheet: draft ?? text });
    setProblem(wrong);
    if (wrong === null) {
      setDraft(null);
    }
  };
  return (
    <fieldset class="cg-group">
      <legend>Worksheet</legend>
      <textarea
        class="cg-code"
        aria-label="The worksheet as text"
        rows={Math.min(18, (draft ?? text).split("\n").length + 1)}
        spellcheck={false}
        value={draft ?? text}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            apply();
          }
        }}
      />
      {problem && (
        <p class="cg-problem" role="alert">
          {problem.message}
        </p>
      )}
      <div class="cg-row">
        <button type="button" class="cg-button is-strong" disabled={draft === null} onClick={apply}>
          Apply
        </button>
        <button
          type="button"
          class="cg-button"
          disabled={draft === null}
          onClick={() => {
            setDraft(null);
            setProblem(null);
          }}
        >
          Discard
        </button>
      </div>
    </fieldset>
  );
}
