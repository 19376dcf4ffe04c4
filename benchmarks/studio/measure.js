// What the benchmark asks of the page, from inside it.
"use strict";
globalThis.chalk = (() => {
  const now = () => performance.now();

  /** The first answer of `look` that is not null or false, watched for from one frame to the next. */
  const seen = (look, what) => new Promise((resolve, reject) => {
    const end = now() + 10_000;
    const again = () => {
      const found = look();
      if (found) resolve(found);
      else if (now() > end) reject(new Error(`waited 10 s for ${what}`));
      else requestAnimationFrame(again);
    };
    again();
  });
  const one = (selector) => document.querySelector(selector);
  const lossText = () => one(".cg-unit.is-loss")?.textContent ?? "";

  const opened = (async () => {
    await seen(() => one(".cg-picture"), "the frame");
    const shell = now();
    await seen(() => one(".cg-svg .cg-unit.is-loss"), "the picture");
    return { shell, picture: now() };
  })();

  /** Choose the last weight that is shown, and wait for its derivation. */
  async function why() {
    const chooser = [...document.querySelectorAll(".cg-chooser select")][0];
    const name = [...chooser.querySelectorAll("optgroup:first-of-type option")].at(-1).value;
    const start = now();
    chooser.value = name;
    chooser.dispatchEvent(new Event("change", { bubbles: true }));
    await seen(() => one(".cg-answer h2"), "a derivation");
    return now() - start;
  }

  /** Another number for that weight, and the loss that follows. */
  async function edit(step) {
    const field = one(".cg-inspector input[role=spinbutton]");
    const before = lossText();
    field.focus();
    const start = now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, String(step * 0.7));
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await seen(() => lossText() !== before, `another loss than ${before}`);
    return now() - start;
  }

  /** Frames while the network trains for so many milliseconds. */
  async function training(milliseconds) {
    [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.includes("Train")).click();
    const button = await seen(() => one(".cg-panel .cg-button.is-strong"), "the button");
    button.click();
    const start = now();
    let frames = 0, gap = 0, last = start;
    await seen(() => {
      frames += 1;
      gap = Math.max(gap, now() - last);
      last = now();
      return last - start > milliseconds;
    }, "training to end");
    const shown = one("[data-figure=updates]").textContent.replace(/\D/g, "");
    button.click();
    return { frames: (1000 * frames) / milliseconds, gap, updates: (1000 * Number(shown)) / milliseconds };
  }
  return { opened, why, edit, training };
})();
