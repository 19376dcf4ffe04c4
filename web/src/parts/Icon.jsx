/** Line icons on a grid of 20. */
const PATHS = {
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  back: "M13 4l-6 6 6 6",
  forward: "M7 4l6 6-6 6",
  start: "M6 4v12M15 4l-6 6 6 6",
  end: "M14 4v12M5 4l6 6-6 6",
  play: "M6 4l10 6-10 6z",
  pause: "M7 4v12M13 4v12",
  undo: "M4 8h8a4 4 0 0 1 0 8H8M4 8l4-4M4 8l4 4",
  redo: "M16 8H8a4 4 0 0 0 0 8h4M16 8l-4-4M16 8l-4 4",
  share: "M8 11l4-4M9 6l2-2a3.5 3.5 0 0 1 5 5l-2 2M11 14l-2 2a3.5 3.5 0 0 1-5-5l2-2",
  take: "M10 3v10M6 9l4 4 4-4M4 16h12",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.6v.2",
  close: "M5 5l10 10M15 5L5 15",
  down: "M5 8l5 5 5-5",
  reset: "M4 10a6 6 0 1 0 2-4.5M4 3v3.5h3.5",
  step: "M5 4l7 6-7 6zM15 4v12",
  sun: "M10 7a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.5 4.5l1 1M14.5 14.5l1 1M15.5 4.5l-1 1M5.5 14.5l-1 1",
};

/** @param {{ name: keyof typeof PATHS }} props */
export function Icon({ name }) {
  return (
    <svg class="cg-icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={PATHS[name]} class={name === "play" ? "is-filled" : undefined} />
    </svg>
  );
}
