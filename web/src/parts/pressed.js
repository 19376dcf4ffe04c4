/**
 * What is no button to the browser and is to a person: clicked, or chosen with Enter or the space bar.
 * @param {() => void} act
 */
export function pressed(act) {
  return {
    role: /** @type {const} */ ("button"),
    onClick: act,
    /** @param {KeyboardEvent} event */
    onKeyDown(event) {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        event.stopPropagation();
        act();
      }
    },
  };
}
