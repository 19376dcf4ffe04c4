/** What the keys do where nothing else wants them. */

/** @param {EventTarget | null} target */
function writes(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  return Boolean(
    element?.closest?.("input, textarea, select, [contenteditable], [role='application']"),
  );
}

/** Arrows move between tabs. @param {KeyboardEvent} event */
function movesTabs(event) {
  return (
    event.key.startsWith("Arrow") &&
    Boolean(/** @type {HTMLElement} */ (event.target).closest?.("[role='tablist']"))
  );
}

/** @param {import("./store.js").Store} store @param {KeyboardEvent} event */
export function onKey(store, event) {
  if (
    event.defaultPrevented ||
    event.altKey ||
    store.dialog.value !== null ||
    writes(event.target) ||
    movesTabs(event)
  ) {
    return;
  }
  const action = event.ctrlKey || event.metaKey ? editKey(store, event) : plainKey(store, event);
  if (action) {
    event.preventDefault();
    action();
  }
}

/** @param {import("./store.js").Store} store @param {KeyboardEvent} event */
function editKey({ editing, live, state }, event) {
  if (!live || event.key.toLowerCase() !== "z") {
    return null;
  }
  const way = event.shiftKey ? "redo" : "undo";
  return state.value?.[way] ? editing[way] : null;
}

/** @param {import("./store.js").Store} store @param {KeyboardEvent} event */
function plainKey({ stepping, training, live, dialog, state }, event) {
  const steps = stepping.steps.value.length > 0;
  // A button that has the focus is pressed with the space bar.
  const onButton = /** @type {HTMLElement} */ (event.target)?.closest?.(
    "button, summary, a, [role='button']",
  );
  switch (event.key) {
    case "ArrowRight":
      return steps ? stepping.forward : null;
    case "ArrowLeft":
      return steps ? stepping.back : null;
    case "Home":
      return steps ? stepping.toStart : null;
    case "End":
      return steps ? stepping.toEnd : null;
    case " ":
      return steps && !onButton ? () => stepping.toggle() : null;
    case "t":
      return live && state.value?.settings.update
        ? () => (training.running.value ? training.pause() : training.run())
        : null;
    case "?":
      return () => void (dialog.value = "help");
    default:
      return null;
  }
}
