/** A dialog of the browser's own: it keeps the focus inside, and Escape closes it. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./IconButton.jsx";

/** @param {{ title: string, onClose: () => void, class?: string, children: import("preact").ComponentChildren }} props */
export function Dialog({ title, onClose, class: kind = "", children }) {
  const place = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const dialog = /** @type {HTMLDialogElement} */ (place.current);
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={place}
      class={`cg-dialog ${kind}`}
      aria-label={title}
      onClose={onClose}
      onCancel={onClose}
      onKeyDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        if (event.target === event.currentTarget) {
          onClose();
        }
      }}
    >
      <div class="cg-dialog-body">
        <div class="cg-dialog-head">
          <h2>{title}</h2>
          <IconButton icon="close" name="Close" onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}
