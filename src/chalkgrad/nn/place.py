"""Where a module stands in its model: its path, the scope of its equations, and what its errors
say.

The outermost module that is called names everything below it: `layers.0.weight` rides on the
parameter's node, `layers.0` is the scope of the layer's equations. Names are given at the first
call, and again when anything was registered since: `structure.version` counts registrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.core.graph import Node
from chalkgrad.core.scope import Scope
from chalkgrad.tensor.tensor import Tensor

if TYPE_CHECKING:
    from chalkgrad.nn.module import Module


class Structure:
    """How often a parameter, buffer or module was registered anywhere."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0


structure = Structure()


class Fit(NamedTuple):
    """The sizes that a layer joins: what it takes along one axis of its input, and what it "
    "gives."""

    counts: str  # "width {}" or "{} channels"
    axis: int
    takes: int
    gives: int


class Place:
    """One module's place in the model that was called last."""

    __slots__ = ("path", "root", "scopes", "version")

    def __init__(self, path: str = "", root: ref[Module] | None = None, version: int = -1) -> None:
        self.path = path
        self.root = root
        self.version = version
        # The scope around the last call, and the scope inside. Most calls find the same one again.
        self.scopes: tuple[object, Scope | None] = (self, None)

    def inside(self, outer: Scope | None) -> tuple[object, Scope | None]:
        """The scope of this module's equations when it is called within `outer`."""
        self.scopes = (outer, _scope(self.path, outer))
        return self.scopes


NOWHERE = Place()


def _scope(path: str, outer: Scope | None) -> Scope | None:
    if not path:
        return outer
    around = outer
    while around is not None:  # inside of another module: only what comes after that one's name
        rest = _after(str(around), path)
        if rest:
            return Scope(rest, outer)
        around = around.parent
    return Scope(path, outer)


def _after(enclosing: str, path: str) -> str:
    """What is left of a path inside of a scope that ends with its beginning."""
    names = path.split(".")
    for count in range(len(names) - 1, 0, -1):
        prefix = ".".join(names[:count])
        if enclosing == prefix or enclosing.endswith(f".{prefix}"):
            return ".".join(names[count:])
    return ""


def settle(root: Module) -> Place:
    """Give every module below `root` its place, and its parameters and buffers their names."""
    version = structure.version
    for path, module in root.named_modules():
        module.__dict__["_place"] = Place(path, ref(root), version)
    parameters = list(root.named_parameters())
    # What has buffers alone, such as the weights of a loss, lends them its own name.
    prefix = "" if parameters else type(root).__name__
    for name, tensor in (*parameters, *root.named_buffers(prefix)):
        given = tensor.__dict__.get("path")  # a name that somebody else gave stays
        if tensor.node.name is None or tensor.node.name == given:
            tensor.node.name = tensor.__dict__["path"] = name
    place: Place = root.__dict__["_place"]
    return place


# What an error says. It is put together once, by the innermost module, only when something fails.
def locate(error: ChalkgradError, module: Module, args: tuple[object, ...]) -> None:
    """Put the failing module's name, and what clashes there, into an error's message."""
    if "located" in error.__dict__:
        return
    error.__dict__["located"] = True
    place: Place = module._place
    complaint = _complaint(module, args)
    if complaint:
        error.args = (f"{_describe(module)} {complaint}",)
    elif place.path:
        error.args = (f"{_describe(module)}: {error}",)


def _describe(module: Module) -> str:
    fit = module._fit()
    kind = type(module).__name__ + (f" {fit.takes}→{fit.gives}" if fit else "")
    path = module._place.path
    return f"{path} ({kind})" if path else kind


def _complaint(module: Module, args: tuple[object, ...]) -> str | None:
    """A clash between a layer and its input: of sizes, or of types of numbers."""
    fit = module._fit()
    if fit is None or not args or not isinstance(args[0], Tensor):
        return None
    node = args[0].node
    if len(node.shape) >= max(-fit.axis, fit.axis + 1) and node.shape[fit.axis] != fit.takes:
        return _wrong_size(module, fit, node)
    weight = next(iter(module.parameters(recurse=False)), None)
    if weight is not None and weight.node.dtype != node.dtype:
        return (
            f"got {node.dtype} numbers; its weight is {weight.node.dtype}. Convert the input: "
            f"x.{'float' if weight.node.dtype == 'float32' else 'double'}(), or write "
            "tensor([1.0, 2.0])"
        )
    return None


def _wrong_size(module: Module, fit: Fit, node: Node) -> str:
    got = node.shape[fit.axis]
    start = f"got {fit.counts.format(got)}"
    name = module._place.path or "it"
    source = _source(module, node)
    if source is None:
        return f"{start}. Make {name} take {got}, or give it {fit.counts.format(fit.takes)}."
    if source == "":
        start += f"; its input is the model's own, of shape {list(node.shape)}"
        return f"{start}. Make {name} take {got}, or give it {fit.counts.format(fit.takes)}."
    start += f"; its input is {source} (…→{got})"
    return f"{start}. Make {name} take {got}, or {source} give {fit.takes}."


def _source(module: Module, node: Node) -> str | None:
    """The path of the module that made the input; "" for the model's own input, None if unknown."""
    root = module._place.root() if module._place.root is not None else None
    if root is None or module is root:
        return None
    path = module._place.path
    while path:
        above, _, name = path.rpartition(".")
        parent = root.get_submodule(above)
        before = parent._before(name)
        if before is None:
            return _maker(root, node)
        if before:
            return f"{above}.{before}" if above else before
        path = above
    return ""


def _maker(root: Module, node: Node) -> str | None:
    """The module in whose scope the input was computed, as far as the graph remembers it."""
    known = {path: module for path, module in root.named_modules() if path}
    while node.primitive is not None:
        scope = str(node.scope or "")
        while scope and scope not in known:
            scope = scope.rpartition(".")[0]
        if scope and not known[scope]._keeps_shape:
            return scope
        node = node.inputs[0]
    return None
