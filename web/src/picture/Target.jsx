/** Anything in the picture that can be clicked, or chosen with Tab and Enter. */
import { useStudio } from "../parts/context.js";
import { pressed } from "../parts/pressed.js";

/**
 * @param {{ id: string, quantity: string | null, label: string, mute?: boolean, class?: string, reachable: boolean,
 *   children: import("preact").ComponentChildren }} props The label is its name and what the pointer shows; what is
 *   mute has no text of its own.
 */
export function Target({
  id,
  quantity,
  label,
  mute = false,
  class: kind = "",
  reachable,
  children,
}) {
  const { asking, tab } = useStudio();
  if (quantity === null) {
    return (
      <g class={kind}>
        <title>{label}</title>
        {children}
      </g>
    );
  }
  const choose = () => {
    asking.selected.value = quantity;
    asking.sought.value = null;
    tab.value = "why";
  };
  const selected = asking.selected.value === quantity;
  return (
    <g
      class={`cg-target ${kind} ${selected ? "is-selected" : ""}`}
      aria-label={mute ? label : undefined}
      aria-pressed={selected}
      tabindex={reachable ? 0 : -1}
      data-id={id}
      data-name={quantity}
      {...pressed(choose)}
      onPointerEnter={() => void (asking.pointed.value = id)}
      onPointerLeave={() => void (asking.pointed.value = null)}
      onFocus={() => void (asking.pointed.value = id)}
      onBlur={() => void (asking.pointed.value = null)}
    >
      <title>{label}</title>
      {children}
    </g>
  );
}
