/** A derivation, block by block, as it stands in the reply. */
import { useEffect, useRef } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Tex } from "../parts/Tex.jsx";
import { touches } from "../picture/lights.js";
import { usePointing } from "./usePointing.js";

/** @typedef {import("../protocol").Block} Block */

/** @param {{ blocks: Block[] }} props */
export function Blocks({ blocks }) {
  return blocks.map((block, place) => <One key={place} block={block} />);
}

/** @param {{ block: Block }} props */
function One({ block }) {
  switch (block.kind) {
    case "heading":
      return <Heading block={block} />;
    case "prose":
      return (
        <p class="cg-prose">
          {block.parts.map((part, place) => (
            <Part key={place} part={part} />
          ))}
        </p>
      );
    case "equation":
      return <Equation block={block} />;
    case "table":
      return <Table block={block} />;
    case "picture":
      return <Drawing block={block} />;
    case "fold":
      return (
        <details class="cg-fold-block">
          <summary>{block.summary}</summary>
          <Blocks blocks={block.blocks} />
        </details>
      );
  }
}

/** @param {{ block: Extract<Block, { kind: "heading" }> }} props */
function Heading({ block }) {
  const Level = /** @type {"h3" | "h4"} */ (block.level <= 2 ? "h3" : "h4");
  return (
    <Level class="cg-block-heading">
      {block.latex ? <Tex latex={block.latex} text={block.text} /> : block.text}
    </Level>
  );
}

/** @param {{ part: { text: string, latex?: string | null, lights?: import("../protocol").Lights } }} props */
function Part({ part }) {
  if (!part.latex) {
    return <>{part.text}</>;
  }
  return part.lights ? (
    <Hot lights={part.lights}>
      <Tex latex={part.latex} text={part.text} />
    </Hot>
  ) : (
    <Tex latex={part.latex} text={part.text} />
  );
}

/** What lights its place in the picture when it is pointed at, and is lit when that place is.
 * @param {{ lights: import("../protocol").Lights, name?: string, children: import("preact").ComponentChildren }} props */
function Hot({ lights, name, children }) {
  const { asking } = useStudio();
  const pointed = asking.pointed.value;
  const on = pointed !== null && touches(lights, pointed);
  return (
    <span class={`cg-hot ${on ? "is-on" : ""}`} data-name={name} {...usePointing(lights)}>
      {children}
    </span>
  );
}

/** @param {{ block: Extract<Block, { kind: "equation" }> }} props */
function Equation({ block }) {
  const { asking } = useStudio();
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const sought = asking.sought.value === block.left.text;
  useEffect(() => {
    if (sought) {
      place.current?.scrollIntoView({ block: "center", behavior: "smooth" });
    }
  }, [sought]);
  return (
    <div
      ref={place}
      class={`cg-equation ${sought ? "is-sought" : ""}`}
      data-label={block.label ?? undefined}
    >
      <div class="cg-left">
        <Tex latex={block.left.latex} text={block.left.text} />
      </div>
      <div class="cg-links">
        {block.links.map((link, place) => (
          <LinkLine key={place} link={link} label={place === 0 ? block.label : null} />
        ))}
      </div>
    </div>
  );
}

/** Whether the factors, side by side, are the link. @param {import("../protocol").Link} link */
function whole({ factors, text }) {
  return factors?.length > 0 && factors.map((factor) => factor.text).join(" · ") === text;
}

const SIGNS = /** @type {Record<string, string>} */ ({ "=": "=", "≈": "\\approx" });

/** @param {{ link: import("../protocol").Link, label: string | null }} props */
function LinkLine({ link, label }) {
  const factors = whole(link) ? link.factors : [];
  return (
    <div class="cg-link-line">
      <span class="cg-relation">
        <Tex latex={SIGNS[link.relation] ?? null} text={link.relation} />
      </span>
      <span class="cg-right">
        {factors.length > 1 ? (
          factors.map((factor, place) => (
            <span key={place} class="cg-factor">
              {place > 0 && <span class="cg-times">·</span>}
              <Hot lights={factor.lights} name={factor.name}>
                <Tex latex={factor.latex} text={factor.text} />
              </Hot>
            </span>
          ))
        ) : factors.length === 1 ? (
          <Hot lights={factors[0].lights} name={factors[0].name}>
            <Tex latex={link.latex} text={link.text} />
          </Hot>
        ) : (
          <Tex latex={link.latex} text={link.text} />
        )}
        {link.remark && <span class="cg-remark">{link.remark}</span>}
      </span>
      {label && <span class="cg-step-label">{label}</span>}
    </div>
  );
}

/** @param {{ block: Extract<Block, { kind: "table" }> }} props */
function Table({ block }) {
  return (
    <div class="cg-table-frame" tabindex={0}>
      <table class="cg-table">
        <thead>
          <tr>
            {block.headings.map((heading, place) => (
              <th key={place} scope="col">
                {typeof heading === "string" ? (
                  heading
                ) : (
                  <Tex latex={heading.latex} text={heading.text} />
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, place) => (
            <tr key={place}>
              {row.map((cell, column) => (
                <td key={column}>
                  <Tex latex={cell.latex} text={cell.text} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A drawing of the engine's, as an image: nothing in it can run.
 * @param {{ block: Extract<Block, { kind: "picture" }> }} props */
function Drawing({ block }) {
  return (
    <img
      class="cg-drawing"
      alt={block.text}
      src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(block.svg)}`}
    />
  );
}
