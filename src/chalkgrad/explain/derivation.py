"""A derivation: the passes through a network as data, and the ways to write them down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chalkgrad.core.rooms import above
from chalkgrad.draw import Picture
from chalkgrad.explain import jsonable, render
from chalkgrad.explain.board import Board
from chalkgrad.explain.document import Document
from chalkgrad.explain.pictures import picture_of
from chalkgrad.explain.steps import Gradient, Matrix, Update
from chalkgrad.explain.views import layout
from chalkgrad.explain.views.lines import formula_of
from chalkgrad.formulas import DIGITS, Number, Partial, latex
from chalkgrad.worksheet import Worksheet


@dataclass(frozen=True, repr=False)
class Derivation:
    """The passes through a network: forward, backward, update, and forward again.

    It holds the numbers of the pass that it explains, also after the optimizer has stepped.
    """

    title: str
    source: str
    conventions: tuple[tuple[str, str], ...]  # ("loss", "½ Σ (target − output)², …")
    board: Board
    gradients: tuple[Gradient, ...]
    updates: tuple[Update, ...] = ()
    after: Board | None = None  # the forward pass with the new parameters
    forward: tuple[Matrix, ...] = ()  # the same pass in equations of arrays
    backward: tuple[Matrix, ...] = ()
    view: str = "board"
    digits: int = DIGITS
    names: str = "lecture"
    worksheet: Worksheet | None = None  # whose network this is

    def document(self, view: str | None = None, digits: int | None = None) -> Document:
        """The derivation laid out: `view` is board, layer or paths, `digits` the decimals shown."""
        return layout(self, view or self.view, self.digits if digits is None else digits)

    def to_dict(self) -> dict[str, Any]:
        """The derivation as data, by the schema of docs/derivation.schema.json."""
        return jsonable.as_dict(self)

    def picture(self) -> Picture:
        """The graph with values and derivatives; `chalkgrad.draw.svg` draws it."""
        return picture_of(self.board, self.digits)

    # Formats. Each takes `view` and `digits` as `document` does.
    def to_text(self, width: int = 80, *, color: bool = False, **layout: Any) -> str:
        """For a terminal of so many columns."""
        return render.to_text(self.document(**layout), width, color=color)

    def to_markdown(self, **layout: Any) -> str:
        """Markdown with LaTeX between dollar signs."""
        return render.to_markdown(self.document(**layout))

    def to_latex(self, **layout: Any) -> str:
        """A LaTeX article that compiles."""
        return render.to_latex(self.document(**layout))

    def to_typst(self, **layout: Any) -> str:
        """A Typst document."""
        return render.to_typst(self.document(**layout))

    def to_pdf(self, **layout: Any) -> bytes:
        """A PDF. ImportError with the command to install where Typst is missing."""
        return render.to_pdf(self.document(**layout))

    def to_html(self, *, interactive: bool = False, **layout: Any) -> str:
        """A page that holds all it needs, and reads nothing from a network.

        An interactive one steps through the passes, and explains each quantity that is clicked.
        """
        if interactive:
            page: str = above("interactive page")(self, **layout)
            return page
        return render.to_html(self.document(**layout))

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_notebook(self) -> str:
        """A Jupyter notebook that computes every number again, in plain Python."""
        return render.to_notebook(self)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        names = ", ".join(g.wrt.text for g in self.gradients)
        return f"<derivation of {self.board.loss} by {names}>"

    def _repr_html_(self) -> str:
        return render.fragment(self.document())

    def _repr_latex_(self) -> str:
        lines = [
            rf"{latex(Partial(g.of, g.wrt))} &= {latex(formula_of(g))} \approx "
            rf"{latex(Number(g.value), self.digits)}"
            for g in self.gradients
        ]
        return "$$\\begin{aligned}" + " \\\\\n".join(lines) + "\\end{aligned}$$"
