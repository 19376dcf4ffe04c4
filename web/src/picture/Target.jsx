/** Anything in the picture that can be clicked, or chosen with Tab and Enter. */
import { useStudio } from "../parts/context.js";

/**
 * @param {{ id: string, quantity: string | null, label: string, class?: string, reachable: boolean,
 *   children: import("preact").ComponentChildren }} props
 */
export function Target({ id, quantity, label, class: kind = "", reachable, children }) {
  const { asking, tab } = useStudio();
  if (quantity === null) {
    return <g class={kind}>{children}</g>;
  }
  const choose = () => {
    asking.selected.value = quantity;
    tab.value = "why";
  };
  const selected = asking.selected.value === quantity;
  return (
    <g
      class={`cg-target ${kind} ${selected ? "is-selected" : ""}`}
      role="button"
      aria-label={label}
      aria-pressed={selected}
      tabIndex={reachable ? 0 : -1}
      data-id={id}
      data-name={quantity}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          event.stopPropagation();
          choose();
        }
      }}
      onPointerEnter={() => void (asking.pointed.value = id)}
      onPointerLeave={() => void (asking.pointed.value = null)}
      onFocus={() => void (asking.pointed.value = id)}
      onBlur={() => void (asking.pointed.value = null)}
    >
      {children}
    </g>
  );
}
