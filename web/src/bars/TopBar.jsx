/** The title, and what concerns the whole: start, undo, take away, reading, help. */
import { useStudio } from "../parts/context.js";
import { Icon } from "../parts/Icon.jsx";
import { IconButton } from "../parts/IconButton.jsx";
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
          <>
            <IconButton
              icon="undo"
              name="Undo"
              hint="Undo (Ctrl Z)"
              disabled={!now?.undo}
              onClick={editing.undo}
            />
            <IconButton
              icon="redo"
              name="Redo"
              hint="Redo (Ctrl Shift Z)"
              disabled={!now?.redo}
              onClick={editing.redo}
            />
          </>
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
        <IconButton
          icon="help"
          name="Help and settings"
          hint="Help and settings (?)"
          onClick={() => void (dialog.value = "help")}
        />
      </nav>
      {dialog.value === "start" && <StartDialog onClose={close} />}
      {dialog.value === "take" && <TakeAway onClose={close} />}
      {dialog.value === "help" && <Help onClose={close} />}
    </header>
  );
}

function ThemeButton() {
  const { theme, dark } = useStudio().preferences;
  return (
    <IconButton
      icon="sun"
      name={dark.value ? "Light colours" : "Dark colours"}
      class="cg-icon-button cg-theme"
      onClick={() => void (theme.value = dark.value ? "light" : "dark")}
    />
  );
}
