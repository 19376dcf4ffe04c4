/** Training: the buttons, and what changes while it goes. */
import { useState } from "preact/hooks";
import { CurveChart } from "../charts/CurveChart.jsx";
import { LossChart } from "../charts/LossChart.jsx";
import { PlaneChart } from "../charts/PlaneChart.jsx";
import { useStudio } from "../parts/context.js";
import { Icon } from "../parts/Icon.jsx";
import { counted, toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";

export function Train() {
  const { state, preferences, live } = useStudio();
  const now = state.value;
  if (now === null) {
    return null;
  }
  const { plane, curve, health, gradients } = now.view;
  const dark = preferences.dark.value;
  return (
    <div class="cg-train">
      {live ? (
        <Buttons />
      ) : (
        <p class="cg-prose cg-muted">
          This page was saved. Open it in the studio to train it: <code>chalkgrad studio</code>.
        </p>
      )}
      <Figures />
      <Losses now={now} dark={dark} />
      {plane && <PlaneChart plane={plane} dark={dark} />}
      {curve && <CurveChart curve={curve} />}
      {gradients && gradients.length > 0 && <Gradients gradients={gradients} />}
      {health && health.length > 0 && <Health health={health} />}
    </div>
  );
}

function Buttons() {
  const { training, state } = useStudio();
  const running = training.running.value;
  const learns = state.value?.settings.update !== null;
  if (!learns) {
    return (
      <p class="cg-prose cg-muted">
        There is no update rule here. Choose one under Change, and it can be trained.
      </p>
    );
  }
  return (
    <div class="cg-row" data-tour="train">
      <button
        type="button"
        class="cg-button is-strong"
        onClick={() => (running ? training.pause() : training.run())}
      >
        <Icon name={running ? "pause" : "play"} />
        {running ? "Pause" : "Train"}
      </button>
      <button type="button" class="cg-button" disabled={running} onClick={() => training.step()}>
        <Icon name="step" />
        Step
      </button>
      <button type="button" class="cg-button" disabled={running} onClick={() => training.epoch()}>
        Epoch
      </button>
      <button type="button" class="cg-button" onClick={() => training.reset()}>
        <Icon name="reset" />
        Reset
      </button>
    </div>
  );
}

function Figures() {
  const { state, training } = useStudio();
  const show = useShown(5);
  const now = /** @type {import("../protocol").State} */ (state.value);
  const rate = training.rate.value;
  return (
    <>
      <dl class="cg-figures">
        <div>
          <dt>Updates</dt>
          <dd data-figure="updates">{counted(now.updates)}</dd>
        </div>
        <div>
          <dt>Loss</dt>
          <dd data-figure="loss">{show(now.loss.value)}</dd>
        </div>
        <div>
          <dt>Updates a second</dt>
          <dd>{rate === null ? "–" : counted(Math.round(rate))}</dd>
        </div>
      </dl>
      <p class="cg-said" role="status">
        {training.said.value}
      </p>
    </>
  );
}

/** @param {{ now: import("../protocol").State, dark: boolean }} props */
function Losses({ now, dark }) {
  const [log, setLog] = useState(false);
  return (
    <section class="cg-section">
      <header class="cg-section-head">
        <h2>Loss</h2>
        <label class="cg-check">
          <input
            type="checkbox"
            checked={log}
            onChange={(event) => setLog(event.currentTarget.checked)}
          />
          logarithmic
        </label>
      </header>
      {now.losses.length > 1 ? (
        <LossChart
          losses={now.losses}
          log={log}
          dark={dark}
          label={`The loss after each of ${now.updates} updates`}
        />
      ) : (
        <p class="cg-chart is-empty">After the first updates their curve stands here.</p>
      )}
    </section>
  );
}

/** @param {{ gradients: { name: string, size: import("../protocol").Value }[] }} props */
function Gradients({ gradients }) {
  const show = useShown(5);
  const largest = Math.max(
    ...gradients.map(({ size }) => toNumber(size)).filter(Number.isFinite),
    1e-300,
  );
  return (
    <section class="cg-section">
      <h2>Size of the gradient</h2>
      <ul class="cg-bars">
        {gradients.map(({ name, size }) => (
          <li key={name}>
            <span class="cg-bar-name">{name}</span>
            <span class="cg-bar">
              <span
                class="is-negative"
                style={{ width: `${Math.min(100, (100 * toNumber(size)) / largest) || 0}%` }}
              />
            </span>
            <span class="cg-bar-value">{show(size)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** @param {{ health: import("../protocol").Health[] }} props */
function Health({ health }) {
  return (
    <section class="cg-section">
      <h2>Health</h2>
      <ul class="cg-health">
        {health.map(({ name, what, say }, place) => (
          <li key={place} class={what === "fine" ? "is-fine" : "is-worth"}>
            <span class="cg-badge">{what === "fine" ? "✓" : "!"}</span>
            <span>
              <strong>{name}</strong> {say}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
