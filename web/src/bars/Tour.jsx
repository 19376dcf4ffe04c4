/** Five things to know, once. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";

const STOPS = [
  {
    at: "picture",
    title: "This is the network",
    text: "Values run forward, in blue. Then the error comes back as gradients, in orange.",
  },
  {
    at: "transport",
    title: "Step through it",
    text: "One number at a time: arrow keys go on and back, the space bar plays.",
  },
  {
    at: "panel",
    title: "Ask why",
    text: "Click any weight. Its whole derivation stands here, and pointing at a factor shows its place in the picture.",
  },
  {
    at: "panel",
    title: "Change it, train it",
    text: "Drag a number sideways or type it: everything follows at once. Under Train it learns.",
  },
  {
    at: "start",
    title: "Start from yours",
    text: "Lectures, a gallery, a worksheet, your own table; and all of it can be taken away as a link, a program or a page.",
  },
];

/** @param {{ root: import("preact").RefObject<HTMLElement | null> }} props */
export function Tour({ root }) {
  const { touring, live } = useStudio();
  const [stop, setStop] = useState(0);
  const card = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { at, title, text } = STOPS[stop];
  useEffect(() => setStop(0), [touring.value]);
  useLayoutEffect(() => {
    const anchor = root.current?.querySelector(`[data-tour="${at}"]`);
    const frame = root.current?.getBoundingClientRect();
    if (!card.current || !frame) {
      return undefined;
    }
    anchor?.classList.add("is-toured");
    anchor?.scrollIntoView({ block: "nearest" });
    place(card.current, frame, anchor?.getBoundingClientRect() ?? frame);
    return () => anchor?.classList.remove("is-toured");
  }, [at, stop, touring.value]);

  if (!touring.value) {
    return null;
  }
  const last = stop === STOPS.length - 1;
  const end = () => void (touring.value = false);
  return (
    <div
      ref={card}
      class="cg-tour"
      role="dialog"
      aria-label={`Tour, ${stop + 1} of ${STOPS.length}: ${title}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          end();
        }
      }}
    >
      <h2>{title}</h2>
      <p>
        {live || stop < 3
          ? text
          : "This page was saved: stepping and explaining work here, the rest in the studio."}
      </p>
      <footer>
        <span class="cg-tour-dots" aria-hidden="true">
          {STOPS.map((_, place) => (
            <i key={place} class={place === stop ? "is-on" : ""} />
          ))}
        </span>
        <button type="button" class="cg-button is-quiet" onClick={end}>
          {last ? "Close" : "Skip"}
        </button>
        {!last && (
          <button type="button" class="cg-button is-strong" onClick={() => setStop(stop + 1)}>
            Next
          </button>
        )}
      </footer>
    </div>
  );
}

/**
 * Beside what it speaks of where there is room, else in its lower part, or under it. The panel is still empty then.
 * @param {HTMLElement} card
 * @param {DOMRect} frame
 * @param {DOMRect} anchor
 */
function place(card, frame, anchor) {
  const { offsetWidth: width, offsetHeight: height } = card;
  const gap = 14;
  const left = anchor.left - frame.left;
  const bottom = anchor.bottom - frame.top;
  const right = anchor.right - frame.left + gap;
  const spots = [
    {
      left: right,
      top: bottom - height - gap,
      fits: right + width + gap < frame.width && anchor.height > 100,
    },
    { left: left + gap, top: bottom - height - gap, fits: anchor.height > height + 100 },
    { left: left + gap, top: bottom + gap, fits: true },
  ];
  const spot = /** @type {{ left: number, top: number }} */ (spots.find(({ fits }) => fits));
  card.style.left = `${Math.max(gap, Math.min(spot.left, frame.width - width - gap))}px`;
  card.style.top = `${Math.max(gap, Math.min(spot.top, frame.height - height - gap))}px`;
}
