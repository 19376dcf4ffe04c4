"""`save` and `load`: nested dicts and lists of tensors and numbers in one safetensors file.

Never pickle. A flat dict of tensors is an ordinary safetensors file that any reader opens. Whatever
else a structure holds (numbers, text, order, nesting) is JSON in the file's metadata.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load as deserialize
from safetensors.numpy import load_file
from safetensors.numpy import save as serialize

from chalkgrad.core import dtypes
from chalkgrad.core.errors import DataError, MissingFile, NotAvailable, TypeMismatch
from chalkgrad.core.files import write_whole
from chalkgrad.core.graph import Array, leaf
from chalkgrad.tensor.arguments import check_device
from chalkgrad.tensor.tensor import Tensor

_KEY = "chalkgrad"
_TENSOR, _TUPLE, _PAIRS = "tensor", "tuple", "pairs"


def save(obj: Any, f: str | os.PathLike[str]) -> None:
    """Write a state dict, or any nesting of dicts, lists, tensors, numbers and text, to a file.

    The file appears whole or not at all, and is read back and compared before it takes its name.

    >>> import chalkgrad as torch, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> torch.save({"weight": torch.ones(2), "epoch": 3}, path)
    >>> torch.load(path)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    arrays: dict[str, Array] = {}
    path, structure = _path(f, "save writes to"), _pack(obj, "", arrays)
    write(path, arrays, {_KEY: json.dumps(structure)})


def load(f: str | os.PathLike[str], map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote, or any safetensors file (then a flat dict of tensors).

    Everything comes to the CPU; NotImplementedError for a `map_location` elsewhere.
    """
    if not (callable(map_location) or isinstance(map_location, Mapping)):
        check_device(map_location)
    if not weights_only:
        raise NotAvailable(
            "load(weights_only=False) would run a pickle; chalkgrad reads safetensors only"
        )
    path = _path(f, "load reads")
    arrays, metadata = read(path)
    for name, array in arrays.items():
        if array.dtype not in dtypes.OF_NUMPY:
            raise NotAvailable(
                f"{path}: tensor {name} is of type {array.dtype}, which chalkgrad has not; convert "
                "it to float32 or int64 where it was made"
            )
    if _KEY not in metadata:
        return OrderedDict((name, _tensor(array)) for name, array in arrays.items())
    try:
        return _unpack(json.loads(metadata[_KEY]), arrays)
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is damaged: its structure cannot be read") from error


def write(path: Path, arrays: Mapping[str, Array], metadata: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all, whose numbers were read back and compared."""
    # safetensors 0.8 scrambles arrays that are not C-contiguous.
    contiguous = {name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()}
    content = serialize(contiguous, metadata)
    back = deserialize(content)
    for name, array in contiguous.items():
        if back[name].shape != array.shape or back[name].tobytes() != array.tobytes():
            raise DataError(
                f"{path}: tensor {name} reads back with other numbers; nothing was written"
            )
    write_whole(path, content)


def read(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata of a safetensors file."""
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        return load_file(path), metadata
    except FileNotFoundError:
        raise MissingFile(f"there is no file {path}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}") from error
    except SafetensorError as error:
        with open(path, "rb") as file:
            start = file.read(2)
        if start in (b"PK", b"\x80\x02"):
            raise NotAvailable(
                f"{path} is a PyTorch pickle, which could run any code when read. Convert it where "
                "PyTorch is: safetensors.torch.save_file(torch.load(path), 'weights.safetensors')."
            ) from error
        raise DataError(f"{path} is not a safetensors file, or is damaged: {error}") from error


def _pack(value: Any, path: str, arrays: dict[str, Array]) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().array_for("save")
    if isinstance(value, (np.ndarray, np.generic)):
        name = path or "tensor"
        while name in arrays:  # {"a": {"b": …}, "a.b": …}
            name += "'"
        arrays[name] = np.asarray(value)
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        pairs = [(key, _pack(item, _join(path, key), arrays)) for key, item in value.items()]
        return {_PAIRS: pairs, "ordered": isinstance(value, OrderedDict)}
    if isinstance(value, (list, tuple)):
        items = [_pack(item, _join(path, k), arrays) for k, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else items
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeMismatch(
        f"save cannot write a {type(value).__name__} ({path or 'the object itself'}): only dicts, "
        "lists, tensors, numbers and text. For a model save model.state_dict()."
    )


def _path(given: Any, what: str) -> Path:
    try:
        return Path(given)
    except TypeError:
        raise TypeMismatch(f"{what} a path, not a {type(given).__name__}") from None


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _unpack(value: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return _tensor(arrays[value[_TENSOR]])
    if _TUPLE in value:
        return tuple(_unpack(item, arrays) for item in value[_TUPLE])
    made = OrderedDict() if value["ordered"] else {}
    for key, item in value[_PAIRS]:
        made[key] = _unpack(item, arrays)
    return made


def _tensor(array: Array) -> Tensor:
    return Tensor().wrap(leaf(array))
