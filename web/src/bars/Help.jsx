/** The keys, the settings of reading, the tour again. */
import { Dialog } from "../parts/Dialog.jsx";
import { useStudio } from "../parts/context.js";
import { Field } from "../parts/Field.jsx";

const KEYS = [
  ["→", "one step forward"],
  ["←", "one step back"],
  ["Home, End", "to the start, to the end"],
  ["space", "play or pause"],
  ["Tab, Enter", "choose a weight or a unit in the picture"],
  ["↑ ↓", "in a number: change it; with Page, by ten"],
  ["Ctrl Z", "undo; with Shift, redo"],
  ["t", "train or pause"],
  ["?", "this help"],
];

/** @param {{ onClose: () => void }} props */
export function Help({ onClose }) {
  const { preferences, touring, hello } = useStudio();
  const { comma, theme } = preferences;
  return (
    <Dialog title="Help and settings" onClose={onClose}>
      <section class="cg-starts">
        <h3>Keys</h3>
        <dl class="cg-keys">
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split(", ").map((one, place) => (
                  <kbd key={place}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="cg-starts">
        <h3>The picture</h3>
        <p class="cg-prose">
          A <b class="cg-ink-positive">blue, solid</b> line is a positive weight, an{" "}
          <b class="cg-ink-negative">orange, dashed</b> one a negative weight; a wide line is a
          large one. Black numbers are values, orange ones beneath them are gradients. A weight's
          number can be dragged sideways.
        </p>
      </section>
      <section class="cg-starts">
        <h3>Settings</h3>
        <label class="cg-check">
          <input
            type="checkbox"
            checked={comma.value}
            onChange={(event) => void (comma.value = event.currentTarget.checked)}
          />
          Decimal comma: 0,5
        </label>
        <Field name="Colours">
          {(id) => (
            <select
              id={id}
              value={theme.value}
              onChange={(event) =>
                void (theme.value = /** @type {any} */ (event.currentTarget.value))
              }
            >
              <option value="auto">as the system</option>
              <option value="light">light</option>
              <option value="dark">dark</option>
            </select>
          )}
        </Field>
        <button
          type="button"
          class="cg-button"
          onClick={() => {
            onClose();
            touring.value = true;
          }}
        >
          Show the tour
        </button>
      </section>
      <p class="cg-muted">chalkgrad {hello.value?.chalkgrad ?? ""}</p>
    </Dialog>
  );
}
