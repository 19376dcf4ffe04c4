"""Modules that hold other modules: in a row, in a list, by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain
from operator import index as as_index
from typing import Any, NoReturn, Self, cast

from chalkgrad.core.errors import ArgumentError, DimensionError, ShapeError, TypeMismatch
from chalkgrad.nn.module import Module, indented
from chalkgrad.nn.parameter import Parameter
from chalkgrad.tensor.tensor import Tensor


def _position(index: int, size: int) -> int:
    place = as_index(index)
    if not -size <= place < size:
        raise DimensionError(f"index {place} is out of range: there are {size}")
    return place % size


class _Row(Module):
    """Modules numbered from 0."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast(dict[str, Module], self._modules).values())

    def _key(self, index: int) -> str:
        return list(self._modules)[_position(index, len(self))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        doomed = list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]
        kept = [module for key, module in self._modules.items() if key not in doomed]
        self._renumber(kept)

    def _renumber(self, modules: Iterable[Module | None]) -> None:
        modules = list(modules)
        for key in list(self._modules):
            self._forget(key)
        for place, module in enumerate(modules):
            self.add_module(str(place), module)

    def append(self, module: Module) -> Self:
        """Add one module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeMismatch(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def _insert(self, index: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeMismatch(f"module should be of type: {Module}")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]


class Sequential(_Row):
    """Modules in a row: each gets what the one before it gave.

    >>> import chalkgrad as torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    >>> model(torch.ones(1, 2)).shape
    torch.Size([1, 3])
    >>> model[0]
    Linear(in_features=2, out_features=3, bias=True)
    """

    def __init__(self, *args: Module | OrderedDict[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0].items()
        else:
            named = {str(place): module for place, module in enumerate(args)}.items()  # type: ignore[assignment]
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _before(self, name: str) -> str | None:
        """The last child before this one that may change the size."""
        found = ""
        for key, module in self._modules.items():
            if key == name:
                return found
            if module is not None and not module._keeps_shape:
                found = key
        return None

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            items = cast(list[tuple[str, Module]], list(self._modules.items()))
            return type(self)(OrderedDict(items[index]))
        return self._modules[self._key(index)]

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`."""
        if not -len(self) <= index <= len(self):
            raise DimensionError(f"Index out of range: {index}")
        self._insert(index, module)
        return self

    def pop(self, key: int | slice) -> Module:
        """Take a module out."""
        found: Module = self[key]
        del self[key]
        return found

    def __add__(self, other: Sequential) -> Sequential:
        _check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        _check_sequential(other)
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            raise TypeMismatch(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ArgumentError(f"Non-positive multiplication factor {times} for {type(self)}")
        return Sequential(*chain.from_iterable([self] * times))

    __rmul__ = __mul__


def _check_sequential(other: object) -> None:
    if not isinstance(other, Sequential):
        raise ArgumentError(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )


class ModuleList(_Row):
    """A list of modules, registered; it computes nothing by itself.

    >>> import chalkgrad as torch
    >>> layers = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._key(index)]

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at `index`."""
        self._insert(index, module)

    def pop(self, key: int | slice) -> Module:
        """Take a module out."""
        found: Module = self[key]
        del self[key]
        return found

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        # Equal neighbours stand in one line, as in PyTorch.
        blocks: list[tuple[int, int, str]] = []
        for place, text in enumerate(repr(module) for module in self):
            if blocks and blocks[-1][2] == text:
                blocks[-1] = (blocks[-1][0], place, text)
            else:
                blocks.append((place, place, text))
        if not blocks:
            return f"{self._get_name()}()"
        lines = [
            f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}"
            for a, b, text in blocks
        ]
        body = "\n  ".join(indented(line) for line in lines)
        return f"{self._get_name()}(\n  {body}\n)"


class ModuleDict(Module):
    """Modules by name, registered; it computes nothing by itself.

    >>> import chalkgrad as torch
    >>> choices = torch.nn.ModuleDict({"relu": torch.nn.ReLU(), "tanh": torch.nn.Tanh()})
    >>> choices["tanh"]
    Tanh()
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    @property
    def _named_modules(self) -> dict[str, Module]:
        return cast(dict[str, Module], self._modules)

    def __getitem__(self, key: str) -> Module:
        return self._named_modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self._named_modules[key]  # KeyError for a name that is not there
        self._forget(key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take every module out."""
        for key in list(self._modules):
            self._forget(key)

    def pop(self, key: str) -> Module:
        """Take a module out."""
        found = self[key]
        del self[key]
        return found

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._named_modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The names and modules."""
        return self._named_modules.items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._named_modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules by name: a mapping, or pairs."""
        if not isinstance(modules, Iterable):
            raise TypeMismatch(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                f"{type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for key, module in pairs:
            self[key] = module


class ParameterList(Module):
    """A list of parameters, registered. Plain tensors become parameters.

    >>> import chalkgrad as torch
    >>> weights = torch.nn.ParameterList([torch.ones(2), torch.zeros(3)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)([self[place] for place in range(*index.indices(len(self)))])
        return getattr(self, str(_position(index, len(self))))

    def __setitem__(self, index: int, param: Any) -> None:
        if isinstance(param, Tensor) and not isinstance(param, Parameter):
            param = Parameter(param)
        setattr(self, str(_position(index, len(self))), param)

    def append(self, value: Any) -> Self:
        """Add one parameter at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several parameters at the end."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeMismatch(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in values:
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return "\n".join(f"  ({place}): {_described(value)}" for place, value in enumerate(self))

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ShapeError("ParameterList should not be called.")


class ParameterDict(Module):
    """Parameters by name, registered. Plain tensors become parameters.

    >>> import chalkgrad as torch
    >>> weights = torch.nn.ParameterDict({"left": torch.ones(2), "right": torch.zeros(3)})
    >>> [name for name, _ in weights.named_parameters()]
    ['left', 'right']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, _name(key))

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, _name(key), value)
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(self.items())

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The names and parameters."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, or the default."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, which the default becomes if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dict of these names, each with the default."""
        return ParameterDict((key, default) for key in keys)

    def pop(self, key: str) -> Any:
        """Take a parameter out."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Take the last name and parameter out."""
        key = list(self._keys)[-1] if self._keys else self._keys.popitem()[0]
        return key, self.pop(key)

    def clear(self) -> None:
        """Take every parameter out."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Add parameters by name: a mapping (a plain dict in the order of its names), or pairs."""
        if not isinstance(parameters, Iterable):
            raise TypeMismatch(
                "ParametersDict.update should be called with an iterable of key/value pairs, but "
                f"got {type(parameters).__name__}"
            )
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            pairs: Iterable[Any] = parameters.items()
        elif isinstance(parameters, Mapping):
            pairs = sorted(parameters.items())
        else:
            pairs = parameters
        for place, pair in enumerate(pairs):
            self[_pair(place, pair)[0]] = pair[1]

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value, old=True)}" for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ShapeError("ParameterDict should not be called.")


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeMismatch(
            "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
            f"'{type(key).__name__}')"
        )
    return key


def _pair(place: int, pair: Any) -> Any:
    if not isinstance(pair, Iterable):
        raise TypeMismatch(
            f"ParameterDict update sequence element #{place} should be Iterable; is"
            f"{type(pair).__name__}"
        )
    if len(pair) != 2:  # type: ignore[arg-type]
        raise ArgumentError(
            f"ParameterDict update sequence element #{place} has length {len(pair)}; 2 is required"  # type: ignore[arg-type]
        )
    return pair


def _described(value: Any, old: bool = False) -> str:
    """One line of the repr of a list or dict of parameters; the dict's has the type's old name."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.shape))
    return f"{word} containing: [{value.type() if old else value.dtype} of size {size}]"
