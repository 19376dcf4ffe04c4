import { useStudio } from "./context.js";
import { shown } from "./numbers.js";

/** Numbers in this person's style. @param {number} [most] digits at most */
export function useShown(most = 12) {
  const { digits, comma } = useStudio().preferences;
  const style = { digits: Math.min(digits.value, most), comma: comma.value };
  return (
    /** @param {import("../protocol").Value | null | undefined} value @param {boolean} [sign] */
    (value, sign = false) => shown(value, { ...style, sign })
  );
}
