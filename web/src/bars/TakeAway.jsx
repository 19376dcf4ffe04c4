/** Everything that can be taken along. */
import { useState } from "preact/hooks";
import { Dialog } from "../parts/Dialog.jsx";
import { useStudio } from "../parts/context.js";
import { Field } from "../parts/Field.jsx";
import { Icon } from "../parts/Icon.jsx";
import { addressOf } from "../store/address.js";
import { blobOf, download, painted } from "./download.js";

const GROUPS = [
  [
    "The problem",
    [
      ["worksheet", "Worksheet", "the network as a text that can be edited"],
      ["python", "Python", "a program with chalkgrad"],
      ["pytorch", "PyTorch", "the same with PyTorch, and the same numbers"],
    ],
  ],
  [
    "The picture",
    [
      ["svg", "SVG", "sharp at any size"],
      ["png", "PNG", "for slides"],
    ],
  ],
  [
    "The derivation",
    [
      ["text", "Text", "for a terminal"],
      ["markdown", "Markdown", "for a README"],
      ["latex", "LaTeX", "for a paper"],
      ["typst", "Typst", "for a paper"],
      ["pdf", "PDF", "to print"],
      ["html", "HTML", "a page to read"],
      ["notebook", "Notebook", "for Jupyter"],
      ["json", "JSON", "as data"],
    ],
  ],
  ["The studio", [["studio", "This page", "steps and explains without any server"]]],
];

/** @param {{ onClose: () => void }} props */
export function TakeAway({ onClose }) {
  const store = useStudio();
  const { connection, asking, preferences, live } = store;
  const [working, setWorking] = useState("");
  const [problem, setProblem] = useState("");

  /** @param {string} format */
  const take = async (format) => {
    setWorking(format);
    setProblem("");
    try {
      const file = await connection.call({
        do: "export",
        format: format === "png" ? "svg" : format,
        wrt: asking.selected.value,
        view: preferences.view.value,
        names: preferences.names.value,
        digits: preferences.digits.value,
      });
      if (format === "png") {
        download(await painted(file.text), file.name.replace(/\.svg$/, ".png"));
      } else {
        download(blobOf(file), file.name);
      }
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
    }
    setWorking("");
  };

  return (
    <Dialog title="Take away" onClose={onClose} class="is-wide">
      <ShareLink />
      {live ? (
        <>
          <p class="cg-muted">
            {asking.selected.value
              ? `The derivation is that of ${asking.selected.value}, as it is read under Why.`
              : "The derivation is that of every parameter; click one in the picture first, and it is that one's."}
          </p>
          {GROUPS.map(([title, formats]) => (
            <section key={String(title)} class="cg-starts">
              <h3>{title}</h3>
              <ul class="is-formats">
                {
                  /** @type {string[][]} */ (formats).map(([format, name, about]) => (
                    <li key={format}>
                      <button
                        type="button"
                        class="cg-card"
                        data-format={format}
                        disabled={working !== ""}
                        onClick={() => take(format)}
                      >
                        <strong>
                          {name}
                          {working === format ? " …" : ""}
                        </strong>
                        <span>{about}</span>
                      </button>
                    </li>
                  ))
                }
              </ul>
            </section>
          ))}
        </>
      ) : (
        <p class="cg-prose cg-muted">
          This page is itself what was taken away. Open its worksheet in the studio for other
          formats.
        </p>
      )}
      {!live && <SavedWorksheet />}
      {problem && (
        <p class="cg-problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function SavedWorksheet() {
  const text = useStudio().state.value?.worksheet;
  return text ? (
    <button
      type="button"
      class="cg-button"
      onClick={() => download(new Blob([text], { type: "text/plain" }), "worksheet.toml")}
    >
      <Icon name="take" />
      Worksheet
    </button>
  ) : null;
}

function ShareLink() {
  const { state, connection } = useStudio();
  const [copied, setCopied] = useState(false);
  const share = state.value?.share;
  if (connection.host !== "server" || state.value?.ahead) {
    return null; // an edit's link comes with its formulas
  }
  if (!share) {
    return (
      <p class="cg-muted">
        This network is too large for a link; take its worksheet or its program.
      </p>
    );
  }
  const address = addressOf(share);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <section class="cg-share-link">
      <Field name="Link to this state" class="is-wide">
        {(id) => (
          <input
            id={id}
            type="text"
            readOnly
            value={address}
            onFocus={(event) => event.currentTarget.select()}
          />
        )}
      </Field>
      <button type="button" class="cg-button is-strong" onClick={copy}>
        <Icon name="share" />
        Copy the link
      </button>
      <span role="status" class="cg-muted">
        {copied ? "Copied. It opens in any studio." : ""}
      </span>
    </section>
  );
}
