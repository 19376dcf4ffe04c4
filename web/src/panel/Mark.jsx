/** A person's own working, marked line by line as it is typed. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { latest } from "../store/queue.js";
import { usePointing } from "./usePointing.js";

const SIGNS = /** @type {Record<string, string>} */ ({
  right: "✓",
  wrong: "✗",
  carried: "→",
  unreadable: "?",
  unknown: "?",
  blank: "",
});
/** What nothing need be said about. */
const QUIET = ["right", "blank"];
const PAUSE = 350;

/** @typedef {import("../protocol").MarkedLine} MarkedLine */

export function Mark() {
  const { connection, live, state, complain, working } = useStudio();
  const [marks, setMarks] = useState(/** @type {import("../protocol").Marks | null} */ (null));
  const [problem, setProblem] = useState("");
  const text = working.value;
  const version = state.value?.version;

  const ask = useMemo(
    () =>
      latest(async (/** @type {string} */ answers) => {
        try {
          setMarks(answers.trim() === "" ? null : await connection.call({ do: "mark", answers }));
          setProblem("");
        } catch (error) {
          setProblem(/** @type {Error} */ (error).message);
        }
      }),
    [connection, complain],
  );

  useEffect(() => {
    if (!live) {
      return undefined;
    }
    const timer = setTimeout(() => ask(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text, version, ask, live]);

  if (!live) {
    return (
      <p class="cg-prose cg-muted">
        This page was saved. Open it in the studio to have working marked:{" "}
        <code>chalkgrad studio</code>.
      </p>
    );
  }
  const shown = text.trim() === "" ? null : marks;
  return (
    <div class="cg-mark">
      <p class="cg-prose cg-muted">
        Write your working, a line for each quantity: <code>{example(state.value)}</code>
      </p>
      <Sheet
        text={text}
        lines={shown?.lines ?? []}
        onInput={(next) => void (working.value = next)}
      />
      {problem && (
        <p class="cg-problem" role="alert">
          {problem}
        </p>
      )}
      {shown && <Verdicts marks={shown} />}
    </div>
  );
}

/** @param {import("../protocol").State | null} state */
function example(state) {
  const step = state?.steps[0];
  return step ? `${step.name} = …` : "name = number";
}

/** Lines of text with their marks beside them. @param {{ text: string, lines: MarkedLine[], onInput: (text: string) => void }} props */
function Sheet({ text, lines, onInput }) {
  const { asking } = useStudio();
  const gutter = useRef(/** @type {HTMLDivElement | null} */ (null));
  const byLine = new Map(lines.map((line) => [line.line, line]));
  const count = Math.max(10, text.split("\n").length + 1);
  /** @param {HTMLTextAreaElement} area */
  const point = (area) => {
    const line = area.value.slice(0, area.selectionStart).split("\n").length;
    asking.lit.value = byLine.get(line)?.lights ?? null;
  };
  return (
    <div class="cg-sheet">
      <div class="cg-gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: count }, (_, place) => {
          const line = byLine.get(place + 1);
          return (
            <span key={place} class={line ? `is-${line.status}` : ""}>
              {line ? (SIGNS[line.status] ?? "·") : ""}
            </span>
          );
        })}
      </div>
      <textarea
        aria-label="Your working"
        rows={count}
        wrap="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyUp={(event) => point(event.currentTarget)}
        onClick={(event) => point(event.currentTarget)}
        onBlur={() => void (asking.lit.value = null)}
        onScroll={(event) => {
          if (gutter.current) {
            gutter.current.scrollTop = event.currentTarget.scrollTop;
          }
        }}
      />
    </div>
  );
}

/** @param {{ marks: import("../protocol").Marks }} props */
function Verdicts({ marks }) {
  const worth = marks.lines.filter(({ status, say }) => !QUIET.includes(status) && say);
  const written = marks.lines.filter(({ status }) => status !== "blank");
  const right = written.filter(({ status }) => status === "right").length;
  return (
    <section class="cg-verdicts" aria-label="Marks" aria-live="polite">
      <p class="cg-score">
        {right} of {written.length} lines are right.
      </p>
      <ul>
        {worth.map((line) => (
          <Verdict key={line.line} line={line} />
        ))}
      </ul>
    </section>
  );
}

/** @param {{ line: MarkedLine }} props */
function Verdict({ line }) {
  return (
    <li class={`is-${line.status}`} {...usePointing(line.lights)}>
      <span class="cg-verdict-line">Line {line.line}</span>
      <span>
        {line.say}
        {line.mistake && <strong class="cg-mistake">{line.mistake}</strong>}
      </span>
    </li>
  );
}
