/** The loss after each update. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useStudio } from "../parts/context.js";
import { counted, shown, toNumber } from "../parts/numbers.js";

/** @param {HTMLElement} element @param {string} name of a colour of the style sheet */
function colour(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** @param {{ losses: [number, import("../protocol").Value][], log: boolean, dark: boolean, label: string }} props */
export function LossChart({ losses, log, dark, label }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const comma = useStudio().preferences.comma.value;
  const data = /** @type {uPlot.AlignedData} */ ([
    losses.map(([update]) => update),
    losses.map(([, loss]) => finite(loss, log)),
  ]);

  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (place.current);
    plot.current = new uPlot(options(element, log, comma), data, element);
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: 170 }),
    );
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [log, dark, comma]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [losses]);

  return <div ref={place} class="cg-chart" role="img" aria-label={label} />;
}

/** A logarithm has no place for zero. @param {import("../protocol").Value} loss @param {boolean} log */
function finite(loss, log) {
  const value = toNumber(loss);
  return Number.isFinite(value) && (!log || value > 0) ? value : null;
}

/** @param {HTMLElement} element @param {boolean} log @param {boolean} comma @returns {uPlot.Options} */
function options(element, log, comma) {
  const axis = {
    stroke: colour(element, "--muted"),
    grid: { stroke: colour(element, "--hair"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  /** @param {(number | null)[]} ticks Null: no room for it. @param {(tick: number) => string} write */
  const written = (ticks, write) => ticks.map((tick) => (tick === null ? "" : write(tick)));
  return {
    width: element.clientWidth,
    height: 170,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, size: 28, values: (_plot, ticks) => written(ticks, counted) },
      {
        ...axis,
        size: 64,
        values: (_plot, ticks) => written(ticks, (tick) => shown(tick, { digits: 6, comma })),
      },
    ],
    series: [{}, { stroke: colour(element, "--positive"), width: 2, points: { show: false } }],
  };
}
