/** In the place of d3-transition, of which d3-zoom wants only this: here no zoom is ever in transition. */
import { selection } from "d3-selection";

export function interrupt() {}

/** @type {any} */ (selection.prototype).interrupt = function () {
  return this;
};
