/** What the studio can start from. */
import { useRef, useState } from "preact/hooks";
import { Dialog } from "../parts/Dialog.jsx";
import { useStudio } from "../parts/context.js";
import { readFile } from "../store/files.js";

const GROUPS = /** @type {const} */ ([
  ["yours", "Yours"],
  ["lectures", "Lectures"],
  ["gallery", "Gallery"],
]);

/** @param {{ onClose: () => void }} props */
export function StartDialog({ onClose }) {
  const store = useStudio();
  const starts = store.hello.value?.starts ?? [];
  const [problem, setProblem] = useState("");
  const files = useRef(/** @type {HTMLInputElement | null} */ (null));

  /** @param {import("../protocol").Request} request */
  const open = async (request) => {
    setProblem("");
    if (await store.open(request)) {
      onClose();
    } else {
      setProblem(store.trouble.value?.text ?? "The connection was lost.");
    }
  };
  return (
    <Dialog title="Start from" onClose={onClose} class="is-wide">
      {GROUPS.map(([group, title]) => {
        const members = starts.filter((start) => start.group === group);
        return (
          members.length > 0 && (
            <section key={group} class="cg-starts">
              <h3>{title}</h3>
              <ul>
                {members.map(({ key, title: name, about }) => (
                  <li key={key}>
                    <button
                      type="button"
                      class="cg-card"
                      data-start={key}
                      disabled={store.busy.value}
                      onClick={() => open({ do: "open", start: key })}
                    >
                      <strong>{name}</strong>
                      <span>{about}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )
        );
      })}
      <Paste onOpen={(worksheet) => open({ do: "open", worksheet, name: "pasted.toml" })} />
      <div class="cg-row">
        <button type="button" class="cg-button" onClick={() => files.current?.click()}>
          Open a file …
        </button>
        <span class="cg-muted">
          a worksheet (.toml), or a table of your own data (.csv): it can be dropped anywhere on the
          page, too
        </span>
        <input
          ref={files}
          type="file"
          accept=".toml,.csv,.tsv,.txt"
          hidden
          aria-label="A worksheet or a table"
          onChange={async (event) => {
            const file = event.currentTarget.files?.[0];
            if (file && (await readFile(store, file))) {
              onClose();
            } else {
              setProblem(store.trouble.value?.text ?? "");
            }
          }}
        />
      </div>
      {problem && (
        <p class="cg-problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

/** @param {{ onOpen: (worksheet: string) => void }} props */
function Paste({ onOpen }) {
  const [text, setText] = useState("");
  return (
    <section class="cg-starts">
      <h3>A worksheet</h3>
      <textarea
        class="cg-code"
        rows={4}
        aria-label="Paste a worksheet"
        placeholder={'title = "…"\n\n[parameters]\nw = 0.5'}
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button
        type="button"
        class="cg-button is-strong"
        disabled={text.trim() === ""}
        onClick={() => onOpen(text)}
      >
        Open it
      </button>
    </section>
  );
}
