/** Stepping through the passes: what is being computed, and the buttons that go on and back. */
import { useStudio } from "../parts/context.js";
import { Field } from "../parts/Field.jsx";
import { IconButton } from "../parts/IconButton.jsx";
import { withCommas } from "../parts/numbers.js";
import { Tex } from "../parts/Tex.jsx";

const PHASES = { forward: "Forward", backward: "Backward", update: "Update" };
const SPEEDS = [0.5, 1, 2, 4, 8];

export function Transport() {
  const { stepping, state } = useStudio();
  if (state.value !== null && stepping.steps.value.length === 0) {
    return (
      <div class="cg-transport is-empty">
        <p class="cg-muted">
          This network is too large to be stepped number by number. Click a weight or a unit, and it
          is derived.
        </p>
        <Records />
      </div>
    );
  }
  return (
    <section class="cg-transport" aria-label="Stepping" data-tour="transport">
      <Current />
      <div class="cg-controls">
        <Buttons />
        <Scrubber />
        <Speed />
        <Records />
      </div>
    </section>
  );
}

/** The formula of the step at which the page stands. */
function Current() {
  const { stepping, state, training, preferences } = useStudio();
  if (training.running.value) {
    return (
      <div class="cg-current">
        <div class="cg-current-head">
          <span class="cg-phase">Training</span>
          <p class="cg-words">
            Every update has passes of its own. Pause, and the next ones can be stepped.
          </p>
        </div>
      </div>
    );
  }
  const step = stepping.current.value;
  const count = stepping.steps.value.length;
  const position = stepping.position.value;
  return (
    <div class={`cg-current ${step ? `is-${step.phase}` : ""}`}>
      <div class="cg-current-head">
        <span class="cg-phase">{step ? PHASES[step.phase] : "Before the first step"}</span>
        <span class="cg-count">{`${position} of ${count}`}</span>
        <p class="cg-words" aria-live="polite">
          {step
            ? withCommas(step.words, preferences.comma.value)
            : state.value
              ? "Nothing is computed yet. Press Play, or the space bar."
              : ""}
        </p>
      </div>
      <div class="cg-formula" tabindex={0} role="group" aria-label="Formula of this step">
        {step && (
          <Tex
            block={true}
            latex={`${step.symbol} ${step.latex}`}
            text={`${step.name} ${step.text}`}
          />
        )}
      </div>
    </div>
  );
}

function Buttons() {
  const { stepping, training } = useStudio();
  const { position, steps, playing } = stepping;
  const busy = training.running.value;
  const first = busy || position.value === 0;
  const last = busy || position.value >= steps.value.length;
  return (
    <div class="cg-buttons" role="group" aria-label="Steps">
      <IconButton
        icon="start"
        name="To the start"
        hint="To the start (Home)"
        disabled={first}
        onClick={stepping.toStart}
      />
      <IconButton
        icon="back"
        name="One step back"
        hint="Back (←)"
        disabled={first}
        onClick={stepping.back}
      />
      <IconButton
        icon={playing.value ? "pause" : "play"}
        name={playing.value ? "Pause" : "Play"}
        hint="Play or pause (space)"
        class="cg-play"
        disabled={busy}
        onClick={() => stepping.toggle()}
      />
      <IconButton
        icon="forward"
        name="One step forward"
        hint="Forward (→)"
        disabled={last}
        onClick={stepping.forward}
      />
      <IconButton
        icon="end"
        name="To the end"
        hint="To the end (End)"
        disabled={last}
        onClick={stepping.toEnd}
      />
    </div>
  );
}

/** The passes as one strip: forward blue, backward orange, updates grey. */
function Scrubber() {
  const { stepping } = useStudio();
  const { steps, position } = stepping;
  const step = stepping.current.value;
  return (
    <div class="cg-scrubber">
      <div class="cg-strip" aria-hidden="true">
        {runs(steps.value).map(({ phase, from, to }) => (
          <span key={from} class={`is-${phase}`} style={{ flexGrow: to - from }}>
            <i
              style={{
                width: `${(100 * Math.max(0, Math.min(position.value, to) - from)) / (to - from)}%`,
              }}
            />
          </span>
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={steps.value.length}
        step={1}
        value={position.value}
        aria-label="Place in the passes"
        aria-valuetext={
          step
            ? `${position.value} of ${steps.value.length}: ${step.words}`
            : "before the first step"
        }
        onInput={(event) => stepping.jump(Number(event.currentTarget.value))}
      />
    </div>
  );
}

/** Steps of one phase that follow each other. @param {import("../protocol").Step[]} steps */
function runs(steps) {
  /** @type {{ phase: string, from: number, to: number }[]} */
  const all = [];
  steps.forEach(({ phase }, place) => {
    const last = all.at(-1);
    if (last?.phase === phase) {
      last.to = place + 1;
    } else {
      all.push({ phase, from: place, to: place + 1 });
    }
  });
  return all;
}

function Speed() {
  const { preferences } = useStudio();
  return (
    <Field name="Speed" class="is-small">
      {(id) => (
        <select
          id={id}
          value={preferences.speed.value}
          onChange={(event) => void (preferences.speed.value = Number(event.currentTarget.value))}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>{`${speed}×`}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

const ALL = 8;

function Records() {
  const { state, turn } = useStudio();
  const now = state.value;
  if (now === null || now.records < 2) {
    return null;
  }
  if (now.record_names.length === 0) {
    return (
      <Field name="Record" class="is-small">
        {(id) => (
          <>
            {" "}
            <input
              id={id}
              type="number"
              class="cg-record-number"
              min={1}
              max={now.records}
              value={now.record ?? 1}
              onChange={(event) =>
                turn({
                  do: "select",
                  record: Math.max(
                    1,
                    Math.min(now.records, Math.round(Number(event.currentTarget.value)) || 1),
                  ),
                })
              }
            />
            <span class="cg-muted">of {now.records}</span>
          </>
        )}
      </Field>
    );
  }
  return (
    <Field name="Record" class="is-small">
      {(id) => (
        <select
          id={id}
          value={now.record ?? ""}
          onChange={(event) =>
            turn({
              do: "select",
              record: event.currentTarget.value === "" ? null : Number(event.currentTarget.value),
            })
          }
        >
          {now.records <= ALL && <option value="">all</option>}
          {Array.from({ length: now.records }, (_, place) => (
            <option key={place} value={place + 1}>
              {now.record_names[place] ?? place + 1}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
