/** A number that can be typed, stepped with the arrow keys, or dragged sideways by its name. */
import { useRef, useState } from "preact/hooks";
import { useStudio } from "./context.js";
import { editable, snapped, stepFor, toNumber, typed } from "./numbers.js";
import { useScrub } from "./useScrub.js";

/**
 * @param {{ name: string, label?: import("preact").ComponentChildren, value: import("../protocol").Value,
 *   onChange?: (value: number, gesture: string) => void, disabled?: boolean, class?: string, id?: string }} props
 * Without `onChange` the number is the parameter, input or target of that name.
 */
export function NumberField({
  name,
  label,
  value,
  onChange,
  disabled = false,
  class: kind = "",
  id,
}) {
  const { editing, preferences, live } = useStudio();
  const gesture = useRef("");
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const wrong = draft !== null && typed(draft) === null;
  const locked = disabled || !live;
  const scrub = useScrub({ name, value, locked: locked || onChange !== undefined });

  /** @param {number} next */
  const send = (next) => {
    if (onChange) {
      onChange(next, gesture.current);
    } else {
      editing.drag({ set: { [name]: next } }, gesture.current);
    }
  };

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const way = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (way !== undefined) {
      event.preventDefault();
      const from = toNumber(value);
      const step = stepFor(from);
      setDraft(null);
      send(snapped(from + way * step, step));
    } else if (event.key === "Escape") {
      setDraft(null);
    } else if (event.key === "Enter") {
      setDraft(null);
      gesture.current = editing.newGesture();
    }
  }

  return (
    <span class={`cg-number-field ${kind} ${wrong ? "is-wrong" : ""}`}>
      {label !== undefined && (
        <span
          class={`cg-scrub-name ${locked || onChange ? "" : "is-loose"}`}
          title={locked || onChange ? undefined : "Drag sideways"}
          {...scrub}
        >
          {label}
        </span>
      )}
      <input
        type="text"
        inputMode="decimal"
        id={id}
        role="spinbutton"
        aria-label={name}
        aria-valuenow={toNumber(value)}
        aria-invalid={wrong}
        value={draft ?? editable(value, preferences.comma.value)}
        disabled={locked}
        autocomplete="off"
        spellcheck={false}
        onFocus={(event) => {
          gesture.current = editing.newGesture();
          event.currentTarget.select();
        }}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setDraft(text);
          const number = typed(text);
          if (number !== null) {
            send(number);
          }
        }}
        onBlur={() => setDraft(null)}
        onKeyDown={onKeyDown}
      />
    </span>
  );
}
