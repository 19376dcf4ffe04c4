"""What a person does in the page, by name."""

from __future__ import annotations

import re
from typing import Any

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


class Studio:
    """A page of the studio."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def start(self, key: str) -> None:
        """Open one of the lectures or of the gallery."""
        self.page.click("[data-tour=start]")
        self.page.click(f"[data-start='{key}']")
        self.page.wait_for_selector("dialog", state="detached", timeout=30_000)

    def tab(self, key: str) -> None:
        """Show a tab of the panel."""
        self.page.click(f"[data-tab={key}]")

    def ask(self, name: str) -> None:
        """Choose a quantity from the list, and wait for its derivation."""
        self.tab("why")
        self.page.select_option(".cg-chooser select", name)
        self.page.wait_for_selector(".cg-answer-head")

    def part(self, name: str) -> Any:
        """A quantity in the picture."""
        return self.page.locator(f".cg-svg .cg-target[data-name='{name}']").first

    def value(self, name: str) -> str:
        """The number that stands in the picture for a quantity."""
        return str(self.part(name).locator(".cg-value").text_content())

    def gradient(self, name: str) -> str | None:
        """Its gradient, where one is shown."""
        found = self.part(name).locator(".cg-gradient")
        return str(found.text_content()) if found.count() else None

    def weight(self, name: str) -> float:
        """The number at a weight's line."""
        text = self.page.locator(f"[data-label='{name}'] .cg-number").text_content()
        return number(text)

    def loss(self) -> float:
        """The number in the loss."""
        return number(self.page.locator(".cg-unit.is-loss .cg-value").text_content())

    def count(self) -> int:
        """At which step the page stands."""
        return int(self.page.locator(".cg-count").text_content().split(" of ")[0])

    def until(self, condition: str, argument: Any = None, timeout: float = 20_000) -> None:
        """Wait until something holds in the page."""
        self.page.wait_for_function(condition, arg=argument, timeout=timeout)

    def lit(self) -> set[str]:
        """The names and places that are lit in the picture."""
        return set(
            self.page.eval_on_selector_all(
                ".cg-svg .is-lit",
                """(all) => all.map((one) => one.dataset.id ?? one.dataset.label
                    ?? one.querySelector('[data-id]')?.dataset.id ?? '')""",
            )
        ) - {""}

    def trouble(self) -> str:
        """What the page complains of."""
        return str(self.page.locator(".cg-trouble p").text_content())


def number(text: str | None) -> float:
    """A number as the page writes it."""
    assert text is not None
    plain = text.strip().replace("−", "-").replace(",", ".").replace("\u202f", "")
    if "·10" in plain:
        mantissa, exponent = plain.split("·10")
        return float(f"{mantissa}e{exponent.translate(_SUPERSCRIPTS)}")
    found = re.search(r"[-+]?[\d.]+", plain)
    assert found, f"{text!r} is no number"
    return float(found[0])
