"""How quickly the studio answers: `python -m benchmarks.studio [--rounds 5] [--json]`.

For each network a server of its own and a real Chromium, without a screen. Measured in the page,
by the page's clock:

    shell      from the request for the page until its frame stands there
    picture    until the network is drawn
    edit       from a new number in a weight's field until the picture shows the loss that follows
    why        from choosing a quantity until its derivation stands there
    training   frames a second while it trains, the longest time without one, updates a second

Medians over rounds; of training one run of a few seconds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.studio.networks import NETWORKS

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
SCRIPT = Path(__file__).with_name("measure.js").read_text("utf-8")
APART = 300  # milliseconds between two edits: the derivation beside the picture follows, too
TRAINED = 3000  # milliseconds of training
SEEN = "try { localStorage['chalkgrad-seen'] = '1' } catch {}"


def main() -> None:
    made = argparse.ArgumentParser(prog="benchmarks.studio", description=__doc__.split("\n")[0])
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    made.add_argument("--json", action="store_true")
    options = made.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        made.error("there is no chromium: apt-get install chromium")
    found = {name: measure(name, browser, options.rounds) for name in options.networks}
    print(json.dumps(found, indent=1) if options.json else table(found))


def measure(name: str, browser: str, rounds: int) -> dict[str, float]:
    """One network: medians over rounds, each in a window of its own."""
    with server(name) as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=FLAGS)
        times: list[dict[str, float]] = []
        for _ in range(rounds):
            context = chromium.new_context(viewport={"width": 1280, "height": 800})
            context.add_init_script(f"{SEEN}; {SCRIPT}")
            page = context.new_page()
            page.goto(address, wait_until="commit")
            times.append(_answers(page))
            if len(times) == rounds:
                training: dict[str, float] = page.evaluate(f"chalk.training({TRAINED})")
            context.close()
        chromium.close()
    return {key: median(each[key] for each in times) for key in times[0]} | training


def _answers(page: Page) -> dict[str, float]:
    opened: dict[str, float] = page.evaluate("chalk.opened")
    why = page.evaluate("chalk.why()")
    edits = []
    for step in range(1, 6):
        page.wait_for_timeout(APART)
        edits.append(page.evaluate(f"chalk.edit({step})"))
    return opened | {"why": why, "edit": median(edits)}


@contextmanager
def server(name: str) -> Iterator[str]:
    """A studio with one network, at an address."""
    command = [sys.executable, "-m", "benchmarks.studio.networks", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


COLUMNS = {
    "shell": "shell, ms", "picture": "picture, ms", "edit": "edit, ms", "why": "why, ms",
    "frames": "frames a second, training", "gap": "longest gap, ms", "updates": "updates a second",
}  # fmt: skip


def table(found: dict[str, dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [f"| network | {' | '.join(COLUMNS.values())} |", f"|---|{'---:|' * len(COLUMNS)}"]
    for name, one in found.items():
        lines.append(f"| {name} | {' | '.join(f'{one[key]:.0f}' for key in COLUMNS)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
