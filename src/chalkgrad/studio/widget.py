"""`cg.studio`: the studio as a widget of a notebook, in Jupyter, VS Code and marimo."""

from __future__ import annotations

from functools import cache
from typing import Any

from chalkgrad.core.errors import ArgumentError, MissingExtra
from chalkgrad.nn import Module
from chalkgrad.optim import Optimizer
from chalkgrad.studio.models import of_model
from chalkgrad.studio.page import SCRIPT, STYLE, asset
from chalkgrad.studio.session import Session

INSTALL = 'pip install "chalkgrad[studio]"'


def studio(
    what: Any = None, x: Any = None, y: Any = None, *, loss: str = "",
    optimizer: Optimizer | None = None, title: str = "", labels: tuple[str, ...] = (),
) -> Any:  # fmt: skip
    """A network to look at, step through, ask and change, in a notebook.

    `what` is a worksheet (a `Worksheet`, its path or its text), the path of a CSV file or of a
    saved run, or a model: an `nn.Sequential` of Linear layers and activations. A model comes with
    its data: `x` has a row for each record, `y` the classes or rows of targets. `loss`,
    `optimizer`, `title` and the `labels` of classes are those of a model, too; the studio trains
    a copy of it. Without `what` the studio opens with a lecture.

    Raises MissingExtra where the extra `studio` is not installed.
    """
    given = what
    if isinstance(what, Module):
        if x is None or y is None:
            raise ArgumentError("a model is shown with its data: cg.studio(model, x, y)")
        given = of_model(
            what, x, y, loss=loss, optimizer=optimizer, title=title or "A model", labels=labels
        )
    elif x is not None or y is not None or optimizer is not None or loss or title or labels:
        raise ArgumentError("x, y, loss, optimizer, title and labels are given with a model only")
    session = Session(given)
    made = _widget()(session)
    session.emit = made.send
    return made


@cache
def _widget() -> Any:
    """The class of the widget: anywidget's, with a session behind it."""
    try:
        import anywidget
    except ImportError:
        raise MissingExtra(f"the notebook widget needs the extra `studio`: {INSTALL}") from None

    class Studio(anywidget.AnyWidget):  # type: ignore[misc]
        """The studio in a notebook: requests come as messages, and replies go back as messages."""

        _esm = asset(SCRIPT)
        _css = asset(STYLE)

        def __init__(self, session: Session) -> None:
            self.session = session
            super().__init__()
            self.on_msg(self._answer)

        def _answer(self, widget: Any, request: Any, buffers: Any) -> None:
            self.send(self.session.handle(request))

        def close(self) -> None:
            """Stop what runs, and take the widget out of the notebook."""
            self.session.close()
            super().close()

        def __repr__(self) -> str:
            return "<the studio: a notebook shows it; `chalkgrad studio` opens it in a page>"

    return Studio
