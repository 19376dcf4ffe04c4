"""Module: a tree of named parameters with a forward computation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self
from weakref import ref

from chalkgrad.core import dtypes
from chalkgrad.core.errors import (
    ArgumentError,
    ChalkgradError,
    NameClash,
    NameMissing,
    NotAvailable,
    StateMismatch,
    TypeMismatch,
    nearest,
)
from chalkgrad.core.scope import current, recording
from chalkgrad.nn.parameter import Buffer, Parameter
from chalkgrad.nn.place import NOWHERE, Fit, Place, locate, settle, structure
from chalkgrad.tensor.arguments import check_device
from chalkgrad.tensor.tensor import Tensor

_REGISTRIES = {"parameter": "_parameters", "buffer": "_buffers", "module": "_modules"}
_HOOKS = "hooks are not part of chalkgrad: compute and return what you need in forward()"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it found no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        missing, unexpected = self.missing_keys, self.unexpected_keys
        if not missing and not unexpected:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={missing}, unexpected_keys={unexpected})"

    def __str__(self) -> str:
        return repr(self)


_OPTIONS = (bool, int, float, str)


class Module:
    """The base of everything that has parameters: subclass it, assign layers in `__init__`, write
    `forward`.

    Parameters, buffers and modules assigned to attributes are registered under that name, so that
    `parameters()`, `state_dict()` and errors find them: `layers.0.weight`.

    >>> import chalkgrad as torch
    >>> class Line(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = torch.nn.Parameter(torch.tensor(2.0))
    ...
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> Line()(torch.tensor(3.0))
    tensor(6., grad_fn=<MulBackward0>)
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _place: Place = NOWHERE
    _keeps_shape: ClassVar[bool] = False  # is the output as large as the input, whatever that is?

    def __init__(self) -> None:
        # Everything registered also stands in __dict__: finding it costs what any attribute costs.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        place = self._place
        if place.version != structure.version:
            place = settle(self)
        mode = current()
        outer = mode.scope
        scopes = place.scopes
        if scopes[0] is not outer:
            scopes = place.inside(outer)
        mode.scope = scopes[1]
        if mode.trace is not None:
            mode.trace.rests_on(self._label(), self._facts)
        try:
            return self.forward(*args, **kwargs)
        except ChalkgradError as error:
            locate(error, self, args)
            raise
        finally:
            mode.scope = outer

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass writes its own."""
        raise NotAvailable(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # What a trace of this module rests on.
    def _facts(self) -> list[tuple[Any, ...]]:
        """What decides the equations beside numbers in tensors: mode, options, which tensors."""
        found: list[tuple[Any, ...]] = []
        for name, value in vars(self).items():
            if isinstance(value, _OPTIONS):  # most are
                found.append((name, value))
            elif isinstance(value, Tensor):
                node = value.node
                free = node.owner is None  # a plain attribute: a constant of the program
                found.append((name, id(value), node.tracked, free and node.seq))
        return found

    def _label(self) -> str:
        path = self._place.path
        return f"{path} ({type(self).__name__})" if path else type(self).__name__

    # What errors say about this module.
    def _fit(self) -> Fit | None:
        return None

    def _before(self, name: str) -> str | None:
        """The child that feeds this one: "" if it is this module's own input, None if unknown."""
        return None

    # Registration.
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter (or None, for one that is switched off) under a name."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeMismatch(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but is not learned, such as a running mean."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeMismatch(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or "
                "None required)"
            )
        self._register("buffer", name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child under a name; a name made of digits is one that an attribute cannot have."""
        if module is not None and not isinstance(module, Module):
            raise TypeMismatch(f"{_typename(module)} is not a Module subclass")
        self._register("module", name, module)

    register_module = add_module

    def _register(self, kind: str, name: str, value: Any) -> None:
        registry = self.__dict__.get(_REGISTRIES[kind])
        if registry is None:
            raise NameMissing(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeMismatch(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise NameClash(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise NameClash(f'{kind} name can\'t be empty string ""')
        # Not hasattr(self, name): that looks for names like it first, to say so in an error.
        if name not in registry and (name in self.__dict__ or hasattr(type(self), name)):
            raise NameClash(f"attribute '{name}' already exists")
        self._enter(kind, name, value)

    def _enter(self, kind: str, name: str, value: Any) -> None:
        self.__dict__[_REGISTRIES[kind]][name] = self.__dict__[name] = value
        structure.version += 1
        if kind == "buffer" and value is not None and value.is_leaf:
            value.node.owner = ref(value)  # a trace takes it as a state and not as a constant

    def __setattr__(self, name: str, value: Any) -> None:
        kind = (
            "parameter"
            if isinstance(value, Parameter)
            else "module"
            if isinstance(value, Module)
            else None
        )
        if kind is not None:
            if "_modules" not in self.__dict__:
                raise NameMissing(
                    f"cannot assign {kind}{'s' * (kind == 'parameter')} before Module.__init__() "
                    f"call: write super().__init__() first in {type(self).__name__}.__init__"
                )
            if name not in self.__dict__[_REGISTRIES[kind]]:
                self._forget(name)
            enter = self._register if kind == "parameter" else self._enter  # as PyTorch checks them
            enter(kind, name, value)
            return
        if isinstance(value, Buffer) and not any(
            name in self.__dict__.get(registry, ()) for registry in ("_parameters", "_modules")
        ):
            self.register_buffer(name, value, value.persistent)
            return
        for word, registry in _REGISTRIES.items():
            if name in self.__dict__.get(registry, ()):
                self._replace(word, name, value)
                return
        object.__setattr__(self, name, value)

    def _replace(self, kind: str, name: str, value: Any) -> None:
        """Assign a plain value to a name that is registered."""
        if value is not None and not (kind == "buffer" and isinstance(value, Tensor)):
            word, wanted = {
                "parameter": ("parameter", "torch.nn.Parameter"),
                "module": ("child module", "torch.nn.Module"),
                "buffer": ("buffer", "torch.nn.Buffer, torch.Tensor"),
            }[kind]
            raise TypeMismatch(
                f"cannot assign '{_typename(value)}' as {word} '{name}' ({wanted} or None expected)"
            )
        self._enter(kind, name, value)

    def _forget(self, name: str) -> None:
        for registry in _REGISTRIES.values():
            self.__dict__[registry].pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        self.__dict__.pop(name, None)
        structure.version += 1

    def __delattr__(self, name: str) -> None:
        if any(name in self.__dict__.get(registry, ()) for registry in _REGISTRIES.values()):
            self._forget(name)
        else:
            object.__delattr__(self, name)

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        if name in ("training", *_REGISTRIES.values()):
            raise NameMissing(
                f"{kind}.__init__ does not call super().__init__(): make it the first line"
            )
        if name.startswith("register_") and name.endswith("_hook"):
            raise NameMissing(f"'{kind}' object has no attribute '{name}': {_HOOKS}")
        known = () if name.startswith("__") else (*self.__dict__, *dir(type(self)))
        raise NameMissing(f"'{kind}' object has no attribute '{name}'.{nearest(name, known)}")

    def __getstate__(self) -> dict[str, Any]:
        # A copy has no place in the model yet.
        return {key: value for key, value in self.__dict__.items() if key != "_place"}

    # The tree.
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with their paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _joined(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path, such as `layers.0.weight`; one that is shared, once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, for an optimizer."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its path."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[Tensor] = set()
        for path, module in self.named_modules(None, prefix, remove_duplicate):
            if module is self or recurse:
                for name, tensor in getattr(module, registry).items():
                    if tensor is not None and tensor not in seen:
                        if remove_duplicate:
                            seen.add(tensor)
                        yield _joined(path, name), tensor

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as `layers.0`; "" is this module itself."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise NameMissing(
                    f"{type(module).__name__} has no attribute "
                    f"`{name}`.{nearest(name, module._modules)}"
                )
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise NameMissing(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as `layers.0.weight`."""
        return self._get(target, Parameter, "an nn.Parameter")  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as `layers.1.running_mean`."""
        found: Tensor = self._get(target, Tensor, "a buffer")
        if not any(found is buffer for buffer in self.buffers()):
            raise NameMissing(f"`{target}` is not a buffer")
        return found

    def _get(self, target: str, kind: type, word: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise NameMissing(f"{type(module).__name__} has no attribute `{name}`")
        found = getattr(module, name)
        if not isinstance(found, kind):
            raise NameMissing(f"`{name}` is not {word}")
        return found

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call a function with every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch to training: dropout drops, batch norm uses the batch's own statistics."""
        if not isinstance(mode, bool):
            raise ArgumentError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation: nothing is dropped, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let every parameter ask for its gradient, or none."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient, or set it to zeros."""
        for parameter in self.parameters():
            gradient = parameter.grad
            if gradient is not None:
                parameter.grad = None if set_to_none else gradient.detach() * 0

    # Types of numbers.
    def to(
        self, *target: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False
    ) -> Self:
        """Convert the floating-point parameters and buffers, in place: `to(torch.float64)`,
        `to("cpu")`.

        TypeError for a type of whole numbers; NotImplementedError for a device other than the CPU.
        """
        for item in target:
            if isinstance(item, Tensor):
                dtype = item.dtype
            elif isinstance(item, dtypes.dtype) or item in (float, int, bool):
                dtype = item
            elif not isinstance(item, bool):
                check_device(item)
        check_device(device)
        if dtype is None:
            return self
        kind = dtypes.as_numpy(dtype)
        if kind.kind != "f":
            raise TypeMismatch(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtypes.OF_NUMPY[kind]}"
            )
        return self._apply(
            lambda tensor: tensor.cast(kind) if tensor.node.dtype.kind == "f" else tensor
        )

    def float(self) -> Self:
        """Convert to float32, in place."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Convert to float64, in place."""
        return self.to(dtypes.float64)

    def cpu(self) -> Self:
        """Nothing to do: chalkgrad computes on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Refused: chalkgrad computes on the CPU."""
        raise NotAvailable("cuda(): chalkgrad computes on the CPU; leave the call out")

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        with recording(False):
            for tensor in (*self.parameters(), *self.buffers()):
                gradient = tensor.grad
                tensor.data = fn(tensor.data)
                if gradient is not None:
                    tensor.grad = fn(gradient.detach())
        return self

    # State.
    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Every parameter and persistent buffer by its path, detached."""
        state: dict[str, Any] = OrderedDict() if destination is None else destination
        for name, tensor in self._state():
            state[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return state

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        yield from ((name, p) for name, p in self._parameters.items() if p is not None)
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy a state dict's numbers into the parameters and buffers of the same names.

        RuntimeError lists every size that clashes and, with `strict`, every missing and unexpected
        key. `assign=True` also takes over the type of the numbers.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeMismatch(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        wanted: dict[str, Tensor] = self.state_dict(keep_vars=True)
        missing = [key for key in wanted if key not in state_dict]
        unexpected = [key for key in state_dict if key not in wanted]
        problems: list[str] = []
        if strict:
            for word, keys in (("Missing", missing), ("Unexpected", unexpected)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    problems.append(f"{word} key(s) in state_dict: {listed}. ")
        for key, tensor in wanted.items():
            if key in state_dict:
                problems += _load(key, tensor, state_dict[key], assign)
        if problems:
            listed = "\n\t".join(problems)
            raise StateMismatch(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}"
            )
        return IncompatibleKeys(missing, unexpected)

    # How it reads.
    def extra_repr(self) -> str:
        """What stands between the brackets of the repr."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"


def indented(text: str) -> str:
    """All lines but the first, moved two columns to the right."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in rest)])


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _typename(value: object) -> str:
    kind = type(value)
    if isinstance(value, Tensor):
        return "torch.FloatTensor"
    return (
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    )


def _load(key: str, tensor: Tensor, given: Any, assign: bool) -> list[str]:
    """Copy one entry of a state dict, or say why not."""
    if not isinstance(given, Tensor):
        return [
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
            "object "
            f"from checkpoint but received {type(given)}"
        ]
    shape = tensor.node.shape
    if not shape and given.node.shape == (1,):
        given = given.detach().reshaped(())
    if given.node.shape != shape:
        return [
            f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
            f"the shape in current model is {tensor.shape}."
        ]
    with recording(False):
        tensor.data = given.clone().cast(given.node.dtype if assign else tensor.node.dtype)
    return []
