"""`compile`: a person's own function as one program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, NotCompilable, TraceError, TypeMismatch
from chalkgrad.core.graph import Array, leaf
from chalkgrad.executors.compiled import Specialised, types
from chalkgrad.executors.native import NativeFunction, OutOfRange
from chalkgrad.machine.host import available
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.nested import mapped, same

EXECUTORS = ("auto", "native", "numpy")
_FORMS = 4  # of one way to put arguments together: training and evaluating, say


def compile(function: Callable[..., Any], *, executor: str = "auto") -> CompiledFunction:
    """The function as one program for each combination of its arguments' shapes and types.

    At its first call the function is traced: it runs once, on tensors without numbers. What it
    computes, and every tensor that it changes (parameters, an optimizer's moments, running means,
    the random generator), becomes one program, which is what later calls run; the Python code
    itself does not run again. So a whole training step, with `zero_grad()`, `backward()` and
    `step()` inside, is one call. What the function returns is computed, and tracked no further.

    executor: 'native' machine code, 'numpy', or 'auto': native where that can be made. `executor`
    of the result says which one runs, and why. Where a module's mode or options, or an optimizer's
    parameters, options or states are no longer those that were traced, it is traced again;
    `report()` counts the programs and says why each was made. What else Python decides by itself is
    decided when the function is traced; after such a change call `forget()`.

    Raises TypeMismatch for a module: a step, or `lambda x: model(x)`, says what is to run. Raises
    TraceError if the function looks at numbers (`.item()`, `if loss > 1`), with
    executor='native' also if some of it has no native code.

    >>> import chalkgrad as cg
    >>> model = cg.nn.Linear(2, 1)
    >>> optimizer = cg.optim.SGD(model.parameters(), lr=0.1)
    >>> @cg.compile
    ... def step(x, y):
    ...     loss = cg.nn.functional.mse_loss(model(x), y)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x, y = cg.ones(4, 2), cg.zeros(4, 1)
    >>> first = step(x, y)
    >>> losses = step.scan(x, y, steps=100)
    >>> losses.shape, bool(losses[-1] < first)
    (torch.Size([100]), True)
    """
    if executor not in EXECUTORS:
        raise ArgumentError(f"executor={executor!r}: there are {', '.join(EXECUTORS)}")
    if hasattr(function, "named_parameters"):
        raise TypeMismatch(
            f"compile takes a function, and no module such as {type(function).__name__}: give it a "
            "training step (forward, loss, backward, update), or lambda x: model(x) to predict"
        )
    return CompiledFunction(function, executor)


@dataclass
class _Form:
    """One way in which the arguments are put together."""

    template: tuple[Any, ...]
    native: NativeFunction | None
    numpy: Specialised
    reason: str = ""
    because: str = ""  # why it was traced, if an earlier form no longer holds
    calls: dict[Any, int] = field(default_factory=dict)  # by types and the number of rows

    def outdated(self) -> str:
        """What is no longer as it was when this was traced."""
        traced = [made.traced for made in self.native.prepared.values()] if self.native else []
        traced += [made.traced for made in self.numpy.programs.values()]
        return next((what for capture in traced if (what := capture.outdated())), "")


class CompiledFunction:
    """A function that runs as programs; see `compile`."""

    def __init__(self, function: Callable[..., Any], executor: str) -> None:
        self.function, self.asked = function, executor
        self.forms: dict[Any, list[_Form]] = {}  # by how arguments are put together
        self.last: _Form | None = None
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        """One step."""
        form, arrays = self._form(arguments)
        return self._run(form, arrays, None, None)

    def scan(self, *arguments: Any, rows: Any = None, steps: int | None = None) -> Any:
        """Many steps in one call; the results of all of them, with a leading axis for the steps.

        rows: (steps, batch) whole numbers: step k works on the records rows[k] of each argument
            (its first axis). steps: instead, how often to run on the arguments as they are.

        >>> import chalkgrad as cg
        >>> total = compile(lambda x: x.sum())
        >>> total.scan(cg.arange(4.0), rows=[[0, 1], [2, 3]])
        tensor([1., 5.])
        """
        if (rows is None) == (steps is None):
            raise ArgumentError("scan takes either rows=(steps, batch) or steps=a number")
        form, arrays = self._form(arguments)
        if rows is None:
            return self._run(form, arrays, None, steps)
        order = np.asarray(rows.numpy() if isinstance(rows, Tensor) else rows)
        return self._run(form, arrays, _checked(order, arrays), None)

    @property
    def executor(self) -> str:
        """Which executor ran the last call, and why."""
        form = self.last
        if form is None:
            return "not traced yet"
        if form.native is not None:
            return "native, one program a step"
        return f"numpy, one program a step ({form.reason})"

    def report(self) -> str:
        """Every program that was made, for which arguments, and why anew."""
        lines: list[str] = []
        for form in (form for forms in self.forms.values() for form in forms):
            for (kinds, size), count in form.calls.items():
                kind = ", ".join(f"{dtype}{list(shape)}" for shape, dtype in kinds)
                kind = (kind or "no arguments") + (f", {size} rows at a time" if size else "")
                times = "once" if count == 1 else f"{count} times"
                again = f" (traced again: {form.because} has changed)" if form.because else ""
                lines.append(f"{len(lines) + 1}. {kind}: ran {times}{again}")
        return "\n".join(lines) or "no program yet"

    def forget(self) -> None:
        """Trace again at the next call."""
        self.forms.clear()
        self.last = None

    def _form(self, arguments: tuple[Any, ...]) -> tuple[_Form, list[Array]]:
        tensors: list[Tensor] = []
        template = tuple([mapped(a, lambda t: _noted(tensors, t)) for a in arguments])
        key = (repr(template), tuple(t.requires_grad for t in tensors))
        forms = self.forms.setdefault(key, [])
        because = ""
        for form in reversed(forms):
            changed = form.outdated()
            if not changed:
                break
            because = because or changed
        else:
            form = self._new(template)
            form.because = because
            del forms[: -_FORMS + 1]
            forms.append(form)
        self.last = form
        return form, [t.node.value for t in tensors]

    def _new(self, template: tuple[Any, ...]) -> _Form:
        def flat(*tensors: Tensor) -> Any:
            remaining = iter(tensors)

            def filled(part: Any) -> Any:
                return next(remaining) if part is _HOLE else part

            return self.function(*[mapped(a, same, filled) for a in template])

        missing = available() if self.asked != "numpy" else "as asked"
        if missing and self.asked == "native":
            raise NotCompilable(f"there is no native code here: {missing}")
        native = None if missing else NativeFunction(flat)
        return _Form(template, native, Specialised(flat), missing)

    def _run(self, form: _Form, arrays: list[Array], rows: Array | None, steps: int | None) -> Any:
        kind = types(arrays), None if rows is None else rows.shape[1]
        if form.native is not None:
            try:
                return self._native(form, form.native, arrays, rows, steps, kind)
            except OutOfRange:
                pass  # NumPy says which index it is
            except NotCompilable as error:
                if self.asked == "native":
                    raise
                form.native, form.reason = None, str(error)
        return self._numpy(form, arrays, rows, steps, kind)

    def _native(
        self, form: _Form, native: NativeFunction, arrays: list[Array], rows: Array | None,
        steps: int | None, kind: Any,
    ) -> Any:  # fmt: skip
        native.resume()
        results = native.run(arrays, rows=rows, steps=steps)
        native.publish()
        unit = native.unit
        assert unit is not None
        form.calls[kind] = form.calls.get(kind, 0) + 1
        return unit.prepared.traced.rebuild([_tensor(array) for array in results])

    def _numpy(
        self, form: _Form, arrays: list[Array], rows: Array | None, steps: int | None, kind: Any
    ) -> Any:
        program = form.numpy
        many = rows is not None or steps is not None
        count = len(rows) if rows is not None else 1 if steps is None else steps
        found = []
        for k in range(count):
            batch = arrays if rows is None else [a[rows[k]] for a in arrays]
            found.append([np.asarray(r) for r in program(*batch)])
        made = program.program
        program.write_back()
        if made is None:
            raise TraceError("scan ran no step, so there is nothing to return")
        form.calls[kind] = form.calls.get(kind, 0) + 1
        results = [np.stack(r) for r in zip(*found, strict=True)] if many else found[0]
        return made.traced.rebuild([_tensor(array) for array in results])


def _noted(tensors: list[Tensor], tensor: Tensor) -> Any:
    tensors.append(tensor)
    return _HOLE


class _Hole:
    def __repr__(self) -> str:
        return "tensor"


_HOLE = _Hole()


def _checked(rows: Array, arrays: Sequence[Array]) -> Array:
    if rows.ndim != 2 or rows.dtype.kind not in "iu":
        raise ArgumentError(
            f"rows of shape {list(rows.shape)} and type {rows.dtype}: they are (steps, batch) "
            "whole numbers"
        )
    sizes = {len(a) for a in arrays if a.ndim}
    if len(sizes) != 1 or any(not a.ndim for a in arrays):
        raise ArgumentError(f"rows choose records, but the arguments have {sorted(sizes)} of them")
    (count,) = sizes
    # A negative number is a large one without a sign: one look instead of two.
    if rows.size and not rows.view(rows.dtype.str.replace("i", "u")).max() < count:
        raise ArgumentError(
            f"rows go from {rows.min()} to {rows.max()}; there are {count} records, counted from 0"
        )
    return rows


def _tensor(array: Array) -> Tensor:
    return Tensor.__new__(Tensor).wrap(leaf(array))
