"use strict";
// Sets every formula of the page. A formula is <span class="m" data-tex="…">its text</span>; where
// data-narrow is given, too, that is the same formula in shorter lines. The text stays, for those
// who listen to the page and for those who copy from it; it is only no longer seen.
(() => {
  const narrow = matchMedia("(max-width: 44rem)");
  let printing = false;

  const line = (source) => {
    const made = document.createElement("span");
    const moved = source.length - source.trimStart().length;
    made.className = moved ? `line moved-${Math.min(moved / 2, 4)}` : "line";
    katex.render(`\\displaystyle ${source.trim()}`, made, {
      output: "html", throwOnError: false, strict: "ignore", trust: false, maxExpand: 100,
    });
    return made;
  };

  const set = (formula) => {
    const short = narrow.matches && !printing && formula.dataset.narrow;
    const source = short || formula.dataset.tex;
    if (formula.dataset.set === source) return;
    formula.dataset.set = source;
    const words = formula.querySelector(".words") || document.createElement("span");
    if (!words.className) {
      words.className = "words";
      words.append(...formula.childNodes);
    }
    const shown = document.createElement("span");
    shown.className = "shown";
    shown.setAttribute("aria-hidden", "true");
    if (formula.parentNode.closest(".grid") && !formula.classList.contains("sign")) {
      shown.append(...source.split("\n").map(line));
    } else {
      katex.render(source, shown, {
        output: "html", throwOnError: false, strict: "ignore", trust: false, maxExpand: 100,
      });
    }
    formula.replaceChildren(words, shown);
  };

  const all = () => document.querySelectorAll(".m").forEach(set);
  const folds = () => document.querySelectorAll("details");

  all();
  document.documentElement.classList.add("typeset");
  narrow.addEventListener("change", all);

  // Paper shows everything.
  addEventListener("beforeprint", () => {
    printing = true;
    all();
    folds().forEach((fold) => { fold.dataset.was = fold.open ? "open" : ""; fold.open = true; });
  });
  addEventListener("afterprint", () => {
    printing = false;
    all();
    folds().forEach((fold) => { fold.open = fold.dataset.was === "open"; });
  });

  // A link to a step that is folded away opens its fold.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
})();
