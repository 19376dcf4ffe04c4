/** The title, and what concerns the whole: start, undo, take away, reading, help. */
import { useState } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Icon } from "../parts/Icon.jsx";
import { Help } from "./Help.jsx";
import { StartDialog } from "./StartDialog.jsx";
import { TakeAway } from "./TakeAway.jsx";

export function TopBar() {
  const { state, live, editing, dialog } = useStudio();
  const now = state.value;
  const close = () => void (dialog.value = null);
  return (
    <header class="cg-top">
      <span class="cg-brand" aria-hidden="true">
        ∂
      </span>
      <div class="cg-title">
        <h1>{now?.title ?? "chalkgrad studio"}</h1>
        {now?.source && <p>{now.source}</p>}
      </div>
      <nav class="cg-actions" aria-label="Studio">
        {live && (
          <button
            type="button"
            class="cg-button"
            data-tour="start"
            onClick={() => void (dialog.value = "start")}
          >
            <Icon name="down" />
            <span>Start from</span>
          </button>
        )}
        {live && (
          <button
            type="button"
            class="cg-icon-button"
            aria-label="Undo"
            title="Undo (Ctrl Z)"
            disabled={!now?.undo}
            onClick={editing.undo}
          >
            <Icon name="undo" />
          </button>
        )}
        {live && (
          <button
            type="button"
            class="cg-icon-button"
            aria-label="Redo"
            title="Redo (Ctrl Shift Z)"
            disabled={!now?.redo}
            onClick={editing.redo}
          >
            <Icon name="redo" />
          </button>
        )}
        <button
          type="button"
          class="cg-button"
          data-tour="take"
          disabled={now === null}
          onClick={() => void (dialog.value = "take")}
        >
          <Icon name="take" />
          <span>Take away</span>
        </button>
        <ThemeButton />
        <button
          type="button"
          class="cg-icon-button"
          aria-label="Help and settings"
          title="Help and settings (?)"
          onClick={() => void (dialog.value = "help")}
        >
          <Icon name="help" />
        </button>
      </nav>
      {dialog.value === "start" && <StartDialog onClose={close} />}
      {dialog.value === "take" && <TakeAway onClose={close} />}
      {dialog.value === "help" && <Help onClose={close} />}
    </header>
  );
}

function ThemeButton() {
  const { theme } = useStudio().preferences;
  const [dark] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const isDark = theme.value === "dark" || (theme.value === "auto" && dark.matches);
  return (
    <button
      type="button"
      class="cg-icon-button cg-theme"
      aria-label={isDark ? "Light colours" : "Dark colours"}
      title={isDark ? "Light colours" : "Dark colours"}
      onClick={() => void (theme.value = isDark ? "light" : "dark")}
    >
      <Icon name="sun" />
    </button>
  );
}
