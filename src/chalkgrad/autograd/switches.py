"""Recording switched on and off, for a region or for a function, as in PyTorch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Self

from chalkgrad.core.scope import current


def is_grad_enabled() -> bool:
    """Do operations on tensors that require a gradient enter the graph?"""
    return current().recording


class Switch:
    """A context manager that is a decorator too: of functions, generators and classes' methods."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self.before: list[bool] = []

    def again(self) -> Switch:
        """A fresh switch of the same kind: a decorated function may call itself."""
        return Switch(self.on)

    def __enter__(self) -> None:
        mode = current()
        self.before.append(mode.recording)
        mode.recording = self.on

    def __exit__(self, *_: object) -> None:
        current().recording = self.before.pop()

    def __call__(self, function: Callable[..., Any]) -> Any:
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self.again():
                return function(*args, **kwargs)

        return switched

    def _generator(self, function: Callable[..., Any]) -> Any:
        """Each step of a generator runs inside; what its consumer does between them does not."""

        @wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            steps = function(*args, **kwargs)
            sent: Any = None
            while True:
                try:
                    with self.again():
                        item = steps.send(sent)
                except StopIteration as end:
                    return end.value
                sent = yield item

        return switched


class _Plain(Switch):
    """A switch without arguments: `@no_grad` is as good as `@no_grad()`."""

    state: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Self:
        made = super().__new__(cls)
        if function is None:
            return made
        Switch.__init__(made, cls.state)
        return made(function)  # type: ignore[no-any-return]

    def __init__(self) -> None:
        super().__init__(self.state)


class no_grad(_Plain):
    """Nothing inside enters the graph: for evaluation, and for updates of parameters.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    >>> @torch.no_grad()
    ... def double(x):
    ...     return x * 2
    >>> double(x).requires_grad
    False
    """

    state = False


class enable_grad(_Plain):
    """What is inside enters the graph again, within `no_grad`.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    state = True


class set_grad_enabled(Switch):
    """Recording on or off from here on, or for a region when used with `with`.

    >>> import chalkgrad as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    >>> torch.is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self.before.append(current().recording)
        current().recording = mode

    def __call__(self, function: Callable[..., Any]) -> Any:
        current().recording = self.before.pop()  # as a decorator it changes only the function
        return super().__call__(function)

    def __enter__(self) -> None:
        current().recording = self.on


class inference_mode(Switch):
    """`no_grad` under the name that PyTorch has for code that never needs a gradient.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.inference_mode():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, mode: Callable[..., Any] | bool = True) -> Self:
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)  # type: ignore[no-any-return]

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)
