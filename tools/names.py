"""The table of names, docs/names.md: what chalkgrad has of PyTorch, what differs, what is absent.

    python tools/names.py            write docs/names.md
    python tools/names.py --check    fail when docs/names.md is not what would be written

Parameters are compared by name and default. PyTorch's come from `inspect` where a function is
written in Python, otherwise from the type stubs that its build writes from its argument parser.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

PAGE = Path(__file__).parents[1] / "docs/names.md"

# Accepted by many of PyTorch's functions; said once at the top of the page instead of in every row.
EVERYWHERE = {
    "out", "out_dtype", "layout", "pin_memory", "memory_format", "names", "dimname", "implicit",
    "size_average", "reduce",
}  # fmt: skip
NUMPY_SPELLINGS = {"axis", "keepdims"}  # PyTorch's argument parser takes them too


class Namespace(NamedTuple):
    torch: str
    chalkgrad: str
    title: str


NAMESPACES = [
    Namespace("torch", "chalkgrad", "Functions, types and classes of `torch`"),
    Namespace("torch.Tensor", "chalkgrad.Tensor", "Methods and attributes of `torch.Tensor`"),
    Namespace("torch.nn", "chalkgrad.nn", "`torch.nn`"),
    Namespace("torch.nn.functional", "chalkgrad.nn.functional", "`torch.nn.functional`"),
    Namespace("torch.nn.init", "chalkgrad.nn.init", "`torch.nn.init`"),
    Namespace("torch.nn.utils", "chalkgrad.nn.utils", "`torch.nn.utils`"),
    Namespace("torch.optim", "chalkgrad.optim", "`torch.optim`"),
    Namespace(
        "torch.optim.lr_scheduler", "chalkgrad.optim.lr_scheduler", "`torch.optim.lr_scheduler`"
    ),
    Namespace("torch.utils.data", "chalkgrad.utils.data", "`torch.utils.data`"),
    Namespace("torch.autograd", "chalkgrad.autograd", "`torch.autograd`"),
    Namespace(
        "torch.autograd.functional", "chalkgrad.autograd.functional", "`torch.autograd.functional`"
    ),
]


class Family(NamedTuple):
    """Absent names that belong together, by the globs that they fit."""

    title: str
    globs: list[str]
    listed: bool

    def takes(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.globs)


KNOWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
OWN: dict[str, dict[str, str]] = KNOWN["own"]
OTHERWISE: dict[str, dict[str, str]] = KNOWN["otherwise"]
LACKS: dict[str, dict[str, str]] = KNOWN["lacks"]
FAMILIES = [Family(f["title"], f["names"].split(), f.get("listed", False)) for f in KNOWN["family"]]


# ------------------------------------------------------------------------------- the parameters


@dataclass
class Signature:
    """What a function takes: each parameter's defaults ('' for none), as text."""

    parameters: dict[str, set[str]] = field(default_factory=dict)
    open: bool = False  # takes anything: *args or **kwargs
    exact: bool = False  # read from Python, so that its defaults can be compared

    def add(self, name: str, default: str) -> None:
        self.parameters.setdefault(name, set()).add(default)


def python_signature(function: Callable[..., Any], *, method: bool) -> Signature | None:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    found = Signature(exact=True)
    for p in parameters[method:]:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            found.open = True
        else:
            name = "input" if p.name == "self" else p.name.removesuffix("_")
            found.add(name, "" if p.default is p.empty else shown(p.default))
    return found


def shown(default: object) -> str:
    """A default as text that is the same for equal defaults of either library."""
    if isinstance(default, float) and default.is_integer():
        return repr(int(default))
    if default in ((), ...):  # nothing given; not said in a stub
        return "None" if default == () else UNSAID
    plain = isinstance(default, (bool, int, float, str, tuple, list, type(None)))
    return (
        repr(default) if plain else "None"
    )  # an object: a generator, a dtype that stands for the usual one


UNSAID = "..."  # a default that a stub leaves out
MISTAKEN = {
    "requires_grad_": {"mode": "requires_grad"},
    "to": {"other": "tensor"},
    "numel": {"self": "input"},
}  # where a stub has another name than the parser
STUBS = {
    "torch": ["_C/_VariableFunctions.pyi"],
    "torch.Tensor": ["_C/__init__.pyi"],
    "torch.nn.functional": ["nn/functional.pyi", "_C/_nn.pyi"],
}


@cache
def stubs(namespace: str) -> dict[str, list[ast.arguments]]:
    """The overloads of every function, or of every tensor method, that PyTorch's stubs have."""
    found: dict[str, list[ast.arguments]] = {}
    for file in STUBS.get(namespace, []):
        body = ast.parse(Path(torch.__file__).parent.joinpath(file).read_text("utf-8")).body
        classes = [s for s in body if isinstance(s, ast.ClassDef) and s.name == "TensorBase"]
        for statement in classes[0].body if classes else body:
            if isinstance(statement, ast.FunctionDef):
                found.setdefault(statement.name, []).append(statement.args)
    return found


def stub_signature(namespace: str, name: str) -> Signature | None:
    """The union of a function's overloads."""
    overloads, method = stubs(namespace).get(name), namespace == "torch.Tensor"
    if overloads is None:
        return None
    found = Signature(exact=len(overloads) == 1)
    for arguments in overloads:
        positional = arguments.posonlyargs + arguments.args
        required = len(positional) - len(arguments.defaults)
        defaults = [*[None] * required, *arguments.defaults]
        pairs = [*zip(positional, defaults, strict=True)][method:]
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        found.open |= bool(arguments.vararg or arguments.kwarg)
        for argument, default in pairs:
            known = MISTAKEN.get(name, {}).get(argument.arg, argument.arg)
            if known == "self":  # of a deprecated overload
                continue
            found.add(known.removesuffix("_"), "" if default is None else literal(default))
    return found


def literal(default: ast.expr) -> str:
    try:
        return shown(ast.literal_eval(default))
    except ValueError:
        return "None"


def their_signature(namespace: str, name: str, thing: Any) -> Signature | None:
    """PyTorch's parameters."""
    if not callable(thing) or (isinstance(thing, type) and thing.__module__ == "torch"):
        return None
    found = python_signature(thing, method=namespace == "torch.Tensor")
    if found is not None and not found.open:
        return found
    return stub_signature(namespace, name) or found


def our_signature(owner: Any, name: str, thing: Any, *, method: bool) -> Signature | None:
    """Ours; an in-place method takes what its functional twin takes."""
    if not callable(thing):
        return None
    found = python_signature(thing, method=method)
    if found is not None and found.open and name.endswith("_") and hasattr(owner, name[:-1]):
        return python_signature(getattr(owner, name[:-1]), method=method)
    return found


def refuses(thing: Any) -> bool:
    """Is this name only there to say that it cannot be done?"""
    return getattr(thing, "__annotations__", {}).get("return") == "NoReturn"


def difference(ours: Signature | None, theirs: Signature | None) -> str:
    """How a user's call can tell the two apart, in words; '' if it cannot."""
    if ours is None or theirs is None:
        return ""
    mine = {n for n in ours.parameters if not n.startswith("_") and n not in EVERYWHERE}
    known = {n for n in theirs.parameters if not n.startswith("_") and n not in EVERYWHERE}
    parts = []
    if lacking := sorted(known - mine):
        parts.append(f"without {listing(lacking)}")
    if (extra := sorted(mine - known - NUMPY_SPELLINGS)) and not theirs.open:
        parts.append(f"also takes {listing(extra)}")
    if theirs.exact:
        parts += [
            f"`{n}` is {default(ours.parameters[n])}, PyTorch {default(theirs.parameters[n])}"
            for n in theirs.parameters
            if n in mine
            and theirs.parameters[n] not in (ours.parameters[n], {UNSAID})
            and not (ours.open and theirs.parameters[n] == {""})  # given as *dims, or by name
        ]
    return "; ".join(parts)


def default(values: set[str]) -> str:
    return " or ".join(f"`{value}`" if value else "required" for value in sorted(values))


def listing(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# -------------------------------------------------------------------------------- the names


def resolve(path: str) -> Any:
    """A module, or a class inside one."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def public(owner: Any) -> list[str]:
    """The names of a module or class that are meant for its user."""
    listed = getattr(owner, "__all__", None) if owner is not torch else None
    return sorted(
        name
        for name in listed or dir(owner)
        if not name.startswith("_") and not imported(owner, name, getattr(owner, name, None))
    )


def imported(owner: Any, name: str, thing: Any) -> bool:
    """Is this a module, or something that a module only uses?"""
    if isinstance(owner, type):
        return False
    if isinstance(thing, ModuleType):
        return not (owner.__name__ == "chalkgrad" and name in OWN["torch"])
    if owner is not torch and (thing is torch.Tensor or name == "TYPE_CHECKING"):
        return True
    home = (getattr(thing, "__module__", None) or "").partition(".")[0]
    return owner.__name__.startswith("torch") and home in sys.stdlib_module_names


@dataclass
class Comparison:
    """One namespace: the names of both, and how each shared one differs."""

    namespace: Namespace
    shared: dict[str, str]  # name -> difference, or ''
    own: list[str]
    absent: list[str]


def compare(namespace: Namespace) -> Comparison:
    ours, theirs = resolve(namespace.chalkgrad), resolve(namespace.torch)
    mine, known = public(ours), set(public(theirs))
    method = isinstance(theirs, type)
    shared = {}
    for name in mine:
        if hasattr(theirs, name):
            thing, original = getattr(ours, name), getattr(theirs, name)
            shared[name] = OTHERWISE.get(namespace.torch, {}).get(name) or (
                "always refuses, and says why"
                if refuses(thing)
                else difference(
                    our_signature(ours, name, thing, method=method),
                    their_signature(namespace.torch, name, original),
                )
            )
    own = [name for name in mine if name not in shared]
    return Comparison(namespace, shared, own, sorted(known - set(shared)))


# ---------------------------------------------------------------------------------- the page

HEAD = """# Names

What chalkgrad {chalkgrad} has of the names of PyTorch {torch}, written by `tools/names.py` from
both packages; `make parity` fails when this page is out of date. A name marked ✓ is there, and
means what it means in PyTorch: the tests under `tests/parity/` compare. "differs" says by which
parameters or defaults a call can tell the two apart.

Everywhere: there is no `out=`, and none of the deprecated `size_average` and `reduce`; numbers are
`float32`, `float64`, `int32`, `int64` or `bool`; the device is the CPU. An absent name raises
AttributeError, which names its nearest neighbours.

| namespace | ✓ | of which differ | chalkgrad's own |
|---|---|---|---|
"""


def page() -> str:
    head = HEAD.format(
        chalkgrad=importlib.import_module("chalkgrad").__version__,
        torch=torch.__version__.partition("+")[0],
    )
    comparisons = [compare(namespace) for namespace in NAMESPACES]
    rows = [
        f"| [{c.namespace.torch}](#{anchor(c.namespace.title)}) | {len(c.shared)} "
        f"| {sum(map(bool, c.shared.values()))} | {len(c.own)} |\n"
        for c in comparisons
    ]
    sections = ["\n".join(section(c)) for c in comparisons]
    return head + "".join(rows) + "\n" + "\n".join(sections)


def anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def section(c: Comparison) -> Iterator[str]:
    yield f"## {c.namespace.title}\n"
    same = [name for name, differs in c.shared.items() if not differs]
    yield f"✓ {listing(same)}\n"
    if any(c.shared.values()):
        reasons = LACKS.get(c.namespace.torch, {})
        yield "| ✓ | differs |\n|---|---|"
        for name, differs in c.shared.items():
            if differs:
                yield f"| `{name}` | {differs}{f' ({reasons[name]})' if name in reasons else ''} |"
        yield ""
    if c.own:
        described = OWN.get(c.namespace.torch, {})
        notes = (f"`{n}` ({described[n]})" if n in described else f"`{n}`" for n in c.own)
        yield f"**chalkgrad's own:** {', '.join(notes)}\n"
    yield from absent(c)


def absent(c: Comparison) -> Iterator[str]:
    if not c.absent:
        return
    yield "**Absent:**\n"
    remaining = c.absent
    if c.namespace.torch == "torch":
        functional = [
            name for name in remaining if hasattr(resolve("chalkgrad.nn.functional"), name)
        ]
        methods = [n for n in remaining if callable(getattr(resolve("chalkgrad.Tensor"), n, None))]
        remaining = [name for name in remaining if name not in {*functional, *methods}]
        yield f"- Here in `nn.functional` only: {listing(functional)}"
        yield f"- Here as methods only: {listing(n for n in methods if n not in functional)}"
    for kind in FAMILIES:
        found = [name for name in remaining if kind.takes(name)]
        remaining = [name for name in remaining if name not in found]
        if found:
            yield f"- {kind.title}: {listing(found) if kind.listed else count(found)}"
    if remaining:
        yield f"- Others: {listing(remaining)}"
    yield ""


def count(names: list[str]) -> str:
    return listing(names) if len(names) < 4 else f"{len(names)} names, such as {listing(names[:2])}"


def main(arguments: list[str]) -> int:
    text = page()
    if arguments == ["--check"]:
        current = PAGE.read_text("utf-8") if PAGE.exists() else ""
        if current != text:
            print(f"{PAGE} is out of date: run `python tools/names.py`", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
