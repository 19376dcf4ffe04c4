"""Write the program of a small network into src/chalkgrad/compiler/README.md."""

from __future__ import annotations

import sys
from pathlib import Path

import chalkgrad as cg
from chalkgrad.compiler.show import kernels
from chalkgrad.machine.host import Host

# Tiles and lanes are those of this processor, whichever one writes the page.
HOST = Host("x86_64", "with AVX2", "", 32, 16, True, 32 << 10, 512 << 10, 32 << 20)
PAGE = Path(__file__).parent.parent / "src" / "chalkgrad" / "compiler" / "README.md"
START, END = "<!-- kernels -->\n", "<!-- end -->\n"


def program() -> str:
    """The kernels of one step of a network of 8-6-3 units on sixteen records, with SGD."""
    nn = cg.nn
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    optimizer = cg.optim.SGD(model.parameters(), lr=0.1)

    def step(x: cg.Tensor, y: cg.Tensor) -> cg.Tensor:
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return str(kernels(cg.trace(step, cg.zeros(16, 8), cg.zeros(16, 3)), HOST))


def page(text: str) -> str:
    """The page with the program as it is now."""
    before, rest = text.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}```\n{program()}\n```\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
