/** A formula, typeset; its text where it cannot be, and where it is read aloud: glyph by glyph nobody follows. */
import katex from "katex";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useStudio } from "./context.js";
import { withCommas } from "./numbers.js";

/** @param {{ latex: string | null | undefined, text: string, block?: boolean, class?: string }} props */
export function Tex({ latex, text, block = false, class: kind = "" }) {
  const place = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const comma = useStudio().preferences.comma.value;
  const words = withCommas(text, comma);
  const source = latex && comma ? latex.replace(/(\d)\.(\d)/g, "$1{,}$2") : latex;
  useLayoutEffect(() => {
    const element = place.current;
    if (!element || !source) {
      return;
    }
    try {
      katex.render(source, element, {
        displayMode: block,
        throwOnError: true,
        strict: "ignore",
        output: "html",
      });
    } catch {
      element.textContent = words;
    }
  }, [source, words, block]);
  if (!source) {
    return <span class={`cg-tex-text ${kind}`}>{words}</span>;
  }
  return <span ref={place} class={`cg-tex ${kind}`} role="math" aria-label={words} />;
}
