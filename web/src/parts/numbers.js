/** Numbers as they are read: digits, a decimal comma, a real minus. */

/** @typedef {import("../protocol").Value} Value */

const WORDS = { nan: "NaN", inf: "∞", "-inf": "−∞" };

/** @param {Value | null | undefined} value @returns {number} */
export function toNumber(value) {
  if (typeof value === "number") {
    return value;
  }
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : NaN;
}

/**
 * @param {Value | null | undefined} value
 * @param {{ digits?: number, comma?: boolean, sign?: boolean }} [style]
 */
export function shown(value, { digits = 3, comma = false, sign = false } = {}) {
  if (value === null || value === undefined) {
    return "–";
  }
  if (typeof value === "string") {
    return WORDS[value] ?? value;
  }
  const text = plain(Math.abs(value), digits);
  const before = value < 0 && !isZero(text) ? "−" : sign && value > 0 && !isZero(text) ? "+" : "";
  return before + (comma ? text.replace(".", ",") : text);
}

/** @param {number} size @param {number} digits */
function plain(size, digits) {
  if (size !== 0 && (size >= 1e6 || size < 0.5 * 10 ** -digits)) {
    const [mantissa, exponent] = size.toExponential(Math.min(digits, 2)).split("e");
    return `${mantissa}·10${superscript(Number(exponent))}`;
  }
  return Number.isInteger(size) ? String(size) : trimmed(size.toFixed(digits), size);
}

/** 0.50000 is 0.5: the shown digits are all there are, but for the last bits of a sum. @param {string} text @param {number} size */
function trimmed(text, size) {
  const short = text.replace(/\.?0+$/, "");
  return Math.abs(Number(short) - size) <= 1e-12 * size ? short : text;
}

/** @param {string} text */
function isZero(text) {
  return /^0([.]0*)?$/.test(text);
}

/** How often something was done, its thousands apart. @param {number} whole */
export function counted(whole) {
  return whole.toLocaleString("en").replaceAll(",", "\u202f");
}

/** Numbers inside a text, as this person writes them. @param {string} text @param {boolean} comma */
export function withCommas(text, comma) {
  return comma ? text.replace(/(\d)\.(\d)/g, "$1,$2") : text;
}

/** @param {number} whole */
function superscript(whole) {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return String(whole)
    .replace(/\d/g, (digit) => digits[Number(digit)])
    .replace("-", "⁻");
}

/**
 * What a person typed, with either decimal sign and either minus.
 * @param {string} text @returns {number | null}
 */
export function typed(text) {
  const tidy = text.trim().replace("−", "-").replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy)) {
    return null;
  }
  const value = Number(tidy);
  return Number.isFinite(value) ? value : null;
}

/** A number as it is edited: all of its digits. @param {Value} value @param {boolean} comma */
export function editable(value, comma) {
  if (typeof value === "string") {
    return WORDS[value] ?? value;
  }
  const text = String(Number(value.toPrecision(10)));
  return comma ? text.replace(".", ",") : text;
}

/** A step that fits a number: dragging moves its second digit. @param {number} value */
export function stepFor(value) {
  const size = Math.abs(value);
  return size < 1e-12 ? 0.01 : 10 ** Math.max(-6, Math.floor(Math.log10(size)) - 1);
}

/** Rounded to the step's digits, so that no 0.30000000000000004 appears. @param {number} value @param {number} step */
export function snapped(value, step) {
  const places = Math.max(0, -Math.floor(Math.log10(step)));
  return Number(value.toFixed(Math.min(12, places)));
}
