/** The studio as a whole. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Tour } from "./bars/Tour.jsx";
import { TopBar } from "./bars/TopBar.jsx";
import { Transport } from "./bars/Transport.jsx";
import { StudioProvider, useStudio } from "./parts/context.js";
import { IconButton } from "./parts/IconButton.jsx";
import { Panel } from "./panel/Panel.jsx";
import { Picture } from "./picture/Picture.jsx";
import { readFile } from "./store/files.js";
import { onKey } from "./store/keys.js";

/** @param {{ store: import("./store/store.js").Store }} props */
export function App({ store }) {
  return (
    <StudioProvider value={store}>
      <Frame />
    </StudioProvider>
  );
}

function Frame() {
  const store = useStudio();
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [dropping, setDropping] = useState(false);
  const whole = store.connection.host !== "widget";

  useEffect(() => {
    // A page listens everywhere; a widget only where it has the focus, for the notebook has keys of its own.
    const place = whole ? document : /** @type {HTMLElement} */ (root.current);
    const listen = (/** @type {Event} */ event) =>
      onKey(store, /** @type {KeyboardEvent} */ (event));
    place.addEventListener("keydown", listen);
    return () => place.removeEventListener("keydown", listen);
  }, [store, whole]);

  useEffect(
    () => (whole ? undefined : keepKeys(/** @type {HTMLElement} */ (root.current))),
    [whole],
  );

  return (
    <div
      ref={root}
      class={`cg-studio ${whole ? "is-page" : "is-widget"} ${dropping ? "is-dropping" : ""}`}
      data-theme={store.preferences.dark.value ? "dark" : "light"}
      tabindex={whole ? undefined : -1}
      onDragOver={(event) => {
        if (store.live && event.dataTransfer?.types.includes("Files")) {
          event.preventDefault();
          setDropping(true);
        }
      }}
      onDragLeave={(event) => {
        if (
          event.relatedTarget === null ||
          !root.current?.contains(/** @type {Node} */ (event.relatedTarget))
        ) {
          setDropping(false);
        }
      }}
      onDrop={(event) => {
        const file = event.dataTransfer?.files[0];
        setDropping(false);
        if (store.live && file) {
          event.preventDefault();
          readFile(store, file);
        }
      }}
    >
      <TopBar />
      <Connection />
      <main class="cg-main">
        <div class="cg-stage">
          <Picture />
          <Notes />
          <Transport />
        </div>
        <Panel />
      </main>
      <Trouble />
      <Tour root={root} />
    </div>
  );
}

/**
 * JupyterLab has single letters as commands (d d deletes a cell) for whatever has the focus in a notebook, but for what
 * bears this attribute itself.
 * @param {HTMLElement} root
 */
function keepKeys(root) {
  const mark = (/** @type {FocusEvent} */ { target }) =>
    /** @type {Element} */ (target).setAttribute("data-lm-suppress-shortcuts", "true");
  root.addEventListener("focusin", mark);
  return () => root.removeEventListener("focusin", mark);
}

/** That the connection is lost, as long as it is. */
function Connection() {
  const { connection } = useStudio();
  const status = connection.status.value;
  const text =
    connection.said?.value ||
    {
      open: "",
      joining: "",
      lost: "The connection to the studio is lost. It is being joined again; nothing is lost here.",
      elsewhere: "This session is shown in another page now.",
      refused:
        "The studio does not know this page's token. Open the address that it printed when it was started.",
    }[status];
  return (
    <div class="cg-connection" role="status">
      {status !== "open" && text && (
        <p>
          {text}
          {(status === "lost" || status === "elsewhere") && (
            <button type="button" class="cg-button" onClick={() => connection.retry?.()}>
              Try now
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function Notes() {
  const notes = useStudio().state.value?.notes ?? [];
  return (
    notes.length > 0 && (
      <ul class="cg-notes">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    )
  );
}

function Trouble() {
  const { trouble } = useStudio();
  const now = trouble.value;
  return (
    <div class="cg-trouble" role="alert">
      {now && (
        <div class="cg-trouble-card">
          <p>{now.text}</p>
          <IconButton icon="close" name="Dismiss" onClick={() => void (trouble.value = null)} />
        </div>
      )}
    </div>
  );
}
