/** A control with its name before it. */
import { useId } from "preact/hooks";

/** @param {{ name: string, class?: string, children: (id: string) => import("preact").ComponentChildren }} props */
export function Field({ name, class: kind = "", children }) {
  const id = useId();
  return (
    <div class={`cg-field ${kind}`}>
      <label class="cg-field-name" for={id}>
        {name}
      </label>
      {children(id)}
    </div>
  );
}
