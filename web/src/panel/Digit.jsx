/** Draw a digit, see what the network says, tell it what it is. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { toNumber } from "../parts/numbers.js";
import { useShown } from "../parts/useShown.js";
import { latest } from "../store/queue.js";
import { stroked } from "./brush.js";

/** @typedef {import("../protocol").Drawn} Drawn */

export function Digit() {
  const { state, connection, complain, show, live } = useStudio();
  const digits = state.value?.view.digits;
  const size = digits ? digits.width * digits.height : 0;
  const recorded = digits?.pixels ?? null;
  const [pixels, setPixels] = useState(() => recorded ?? Array(size).fill(0));
  const [drawn, setDrawn] = useState(/** @type {Drawn | null} */ (null));
  const [before, setBefore] = useState(/** @type {Drawn | null} */ (null));
  const [taught, setTaught] = useState("");
  const version = state.value?.version;

  const ask = useMemo(
    () =>
      latest(async (/** @type {number[]} */ now) => {
        try {
          setDrawn(await connection.call({ do: "draw", pixels: now }));
        } catch (error) {
          complain(error);
        }
      }),
    [connection, complain],
  );

  useEffect(() => {
    if (live && size > 0 && pixels.length === size) {
      ask(pixels);
    }
  }, [pixels, version, ask, live, size]);

  if (!digits) {
    return null;
  }
  /** @param {number} label */
  const teach = async (label) => {
    try {
      const answer = await connection.call({ do: "teach", pixels, label });
      setBefore(answer.before);
      setDrawn(answer.after);
      setTaught(digits.labels[label]);
      show(answer.state);
    } catch (error) {
      complain(error);
    }
  };
  const change = (/** @type {number[]} */ next) => {
    setBefore(null);
    setTaught("");
    setPixels(next);
  };
  const empty = pixels.every((pixel) => pixel === 0);
  return (
    <div class="cg-digit">
      <div class="cg-digit-top">
        <Pad pixels={pixels} width={digits.width} height={digits.height} onChange={change} />
        <div class="cg-digit-side">
          <p class="cg-prose cg-muted">
            Draw a digit with the pointer; or move with the arrow keys, and the space bar sets a
            pixel.
          </p>
          <div class="cg-row">
            <button
              type="button"
              class="cg-button"
              disabled={empty}
              onClick={() => change(Array(size).fill(0))}
            >
              Clear
            </button>
            {recorded && (
              <button type="button" class="cg-button" onClick={() => change(recorded)}>
                Record {state.value?.record}
                {digits.label !== null && digits.label !== undefined ? `: ${digits.label}` : ""}
              </button>
            )}
          </div>
        </div>
      </div>
      <section class="cg-section">
        <h2 id="cg-this-is">What it is</h2>
        <div class="cg-labels" role="group" aria-labelledby="cg-this-is">
          {digits.labels.map((label, place) => (
            <button
              key={label}
              type="button"
              disabled={empty || !live}
              class={taught === label ? "is-on" : ""}
              onClick={() => teach(place)}
            >
              {label}
            </button>
          ))}
        </div>
        <p class="cg-muted" role="status">
          {taught ? (
            <Fall before={before} after={drawn} label={taught} />
          ) : (
            "One back-propagation step on this picture, and the bars before and after it."
          )}
        </p>
      </section>
      {drawn && <Outputs drawn={drawn} before={before} />}
    </div>
  );
}

/** @param {{ before: Drawn | null, after: Drawn | null, label: string }} props */
function Fall({ before, after, label }) {
  const show = useShown(4);
  const known = (before?.loss ?? null) !== null && (after?.loss ?? null) !== null;
  return (
    <>
      One step taught it that this is {label}. Grey is before, blue after
      {known ? `; the loss on it went from ${show(before?.loss)} to ${show(after?.loss)}` : ""}.
    </>
  );
}

/** @param {{ drawn: Drawn, before: Drawn | null }} props */
function Outputs({ drawn, before }) {
  const show = useShown(3);
  const best = Math.max(...drawn.outputs.map(({ value }) => toNumber(value)));
  return (
    <section class="cg-section">
      <h2>What the network says</h2>
      <ul class="cg-bars is-outputs">
        {drawn.outputs.map(({ label, value }, place) => {
          const old = before?.outputs[place]?.value;
          return (
            <li key={label} class={toNumber(value) === best ? "is-best" : ""}>
              <span class="cg-bar-name">{label}</span>
              <span class="cg-bar">
                {old !== undefined && (
                  <span class="is-before" style={{ width: `${percent(old)}%` }} />
                )}
                <span class="is-positive" style={{ width: `${percent(value)}%` }} />
              </span>
              <span class="cg-bar-value">
                {old !== undefined && <span class="cg-muted">{show(old)} → </span>}
                {show(value)}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** @param {import("../protocol").Value} value */
function percent(value) {
  return Math.max(0, Math.min(100, 100 * toNumber(value))) || 0;
}

/** @param {{ pixels: number[], width: number, height: number, onChange: (pixels: number[]) => void }} props */
function Pad({ pixels, width, height, onChange }) {
  const last = useRef(/** @type {{ x: number, y: number } | null} */ (null));
  const latestPixels = useRef(pixels);
  latestPixels.current = pixels;
  const [cursor, setCursor] = useState(/** @type {{ x: number, y: number } | null} */ (null));
  const radius = 0.55 * Math.max(1, width / 12);

  /** @param {PointerEvent} event */
  const place = (event) => {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  };
  /** @param {PointerEvent} event */
  const draw = (event) => {
    const now = place(event);
    latestPixels.current = stroked(
      latestPixels.current,
      width,
      last.current ?? now,
      now,
      radius,
      event.shiftKey || event.buttons === 2,
    );
    last.current = now;
    onChange(latestPixels.current);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const at = cursor ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
    const way = /** @type {Record<string, [number, number]>} */ ({
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    })[event.key];
    if (way) {
      setCursor({
        x: Math.max(0, Math.min(width - 1, at.x + way[0])),
        y: Math.max(0, Math.min(height - 1, at.y + way[1])),
      });
    } else if (event.key === " ") {
      const next = [...pixels];
      next[at.y * width + at.x] = next[at.y * width + at.x] > 0.5 ? 0 : 1;
      setCursor(at);
      onChange(next);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <svg
      class="cg-pad"
      viewBox={`0 0 ${width} ${height}`}
      role="application"
      tabindex={0}
      aria-label={`A canvas of ${width} by ${height} pixels`}
      onContextMenu={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setCursor(null);
        last.current = null;
        draw(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons !== 0) {
          draw(event);
        }
      }}
      onKeyDown={key}
    >
      {pixels.map(
        (ink, at) =>
          ink > 0 && (
            <rect
              key={at}
              x={at % width}
              y={Math.floor(at / width)}
              width={1.02}
              height={1.02}
              fill-opacity={ink}
              class="cg-ink"
            />
          ),
      )}
      {cursor && (
        <rect x={cursor.x + 0.05} y={cursor.y + 0.05} width={0.9} height={0.9} class="cg-cursor" />
      )}
    </svg>
  );
}
