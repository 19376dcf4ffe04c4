/** A formula, typeset; its text where it cannot be. */
import katex from "katex";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useStudio } from "./context.js";

/** @param {{ latex: string | null | undefined, text: string, block?: boolean, class?: string }} props */
export function Tex({ latex, text, block = false, class: kind = "" }) {
  const place = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const comma = useStudio().preferences.comma.value;
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
        output: "htmlAndMathml",
      });
    } catch {
      element.textContent = text;
    }
  }, [source, text, block]);
  if (!source) {
    return (
      <span class={`cg-tex-text ${kind}`}>
        {comma ? text.replace(/(\d)\.(\d)/g, "$1,$2") : text}
      </span>
    );
  }
  return <span ref={place} class={`cg-tex ${kind}`} role="math" aria-label={text} />;
}
