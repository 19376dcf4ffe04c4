/** The panel beside the picture, or beneath it on a narrow page. */
import { useId, useRef } from "preact/hooks";
import { useStudio } from "../parts/context.js";
import { Change } from "./Change.jsx";
import { Digit } from "./Digit.jsx";
import { Mark } from "./Mark.jsx";
import { Train } from "./Train.jsx";
import { Why } from "./Why.jsx";

const TABS = [
  { key: "why", title: "Why", Body: Why },
  { key: "change", title: "Change", Body: Change },
  { key: "train", title: "Train", Body: Train },
  { key: "mark", title: "Mark", Body: Mark },
  { key: "digit", title: "Digit", Body: Digit },
];

/** On a narrow page the panel stands beneath the picture, and its tabs at the bottom. @param {HTMLElement} button */
function reveal(button) {
  const panel = button.closest(".cg-panel");
  if (panel && panel.getBoundingClientRect().top > window.innerHeight / 2) {
    panel.scrollIntoView({ block: "start", behavior: "smooth" });
  }
}

export function Panel() {
  const { tab, state } = useStudio();
  const own = useId();
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const tabs = TABS.filter(({ key }) => key !== "digit" || state.value?.view.digits);
  const { key: open, Body } = tabs.find(({ key }) => key === tab.value) ?? tabs[0];

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way !== undefined) {
      event.preventDefault();
      const place = tabs.findIndex(({ key }) => key === open);
      const next = tabs[(place + way + tabs.length) % tabs.length].key;
      tab.value = next;
      /** @type {HTMLElement | null | undefined} */ (
        list.current?.querySelector(`[data-tab="${next}"]`)
      )?.focus();
    }
  };
  return (
    <aside class="cg-panel" aria-label="Panel" data-tour="panel">
      <div class="cg-tabs" role="tablist" aria-label="Panel" ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ key, title }) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${own}-${key}`}
            data-tab={key}
            aria-selected={key === open}
            aria-controls={`${own}-body`}
            tabindex={key === open ? 0 : -1}
            onClick={(event) => {
              tab.value = key;
              reveal(event.currentTarget);
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        class="cg-tab-body"
        role="tabpanel"
        id={`${own}-body`}
        aria-labelledby={`${own}-${open}`}
        tabindex={0}
      >
        <Body key={open} />
      </div>
    </aside>
  );
}
