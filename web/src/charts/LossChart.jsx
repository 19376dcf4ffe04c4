/** The loss after each update. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { toNumber } from "../parts/numbers.js";

/** @param {HTMLElement} element @param {string} name of a colour of the style sheet */
function colour(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** @param {{ losses: [number, import("../protocol").Value][], log: boolean, theme: string, label: string }} props */
export function LossChart({ losses, log, theme, label }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const data = /** @type {uPlot.AlignedData} */ ([
    losses.map(([update]) => update),
    losses.map(([, loss]) => finite(loss, log)),
  ]);

  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (place.current);
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element, log), data, element);
    };
    make();
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: 170 }),
    );
    watcher.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", make);
    return () => {
      watcher.disconnect();
      dark.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [log, theme]);

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

/** @param {HTMLElement} element @param {boolean} log @returns {uPlot.Options} */
function options(element, log) {
  const axis = {
    stroke: colour(element, "--muted"),
    grid: { stroke: colour(element, "--hair"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height: 170,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 56 },
    ],
    series: [{}, { stroke: colour(element, "--positive"), width: 2, points: { show: false } }],
  };
}
