/** A button that bears an icon only: its name is said, and shown by the pointer, there with the key that does the same. */
import { Icon } from "./Icon.jsx";

/** @param {{ icon: Parameters<typeof Icon>[0]["name"], name: string, hint?: string, class?: string, disabled?: boolean, onClick: () => void }} props */
export function IconButton({
  icon,
  name,
  hint = name,
  class: kind = "cg-icon-button",
  disabled = false,
  onClick,
}) {
  return (
    <button
      type="button"
      class={kind}
      aria-label={name}
      title={hint}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
