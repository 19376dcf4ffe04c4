"""What a person's code may do during a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from chalkgrad.training.history import History

if TYPE_CHECKING:
    from chalkgrad.training.loop import Run


@runtime_checkable
class Callback(Protocol):
    """Called after every epoch; a true answer ends the run, and a text says why."""

    def epoch_ended(self, run: Run, history: History) -> bool | str | None: ...


def ended(callback: Callback | Callable[..., bool | str | None], run: Run, history: History) -> str:
    """Why this callback wants the run to end, or ''. A plain function is given the history."""
    if isinstance(callback, Callback):
        answer = callback.epoch_ended(run, history)
    else:
        answer = callback(history)
    return answer if isinstance(answer, str) else "a callback ended the run" if answer else ""
