"""`save` and `load`: every structure comes back; a file appears whole or not at all; no pickle."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

import chalkgrad as cg
from chalkgrad.core.errors import DataError, NotAvailable, TypeMismatch
from chalkgrad.core.files import write_whole

DTYPES = [np.float32, np.float64, np.int32, np.int64, np.bool_]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    )
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KEYS = st.text(max_size=5) | st.integers(-9, 9)
STRUCTURES = st.recursive(
    PLAIN | ARRAYS.map(cg.tensor),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def assert_equal(found: Any, wanted: Any) -> None:
    assert type(found) is type(wanted)
    if isinstance(wanted, cg.Tensor):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert found.numpy().tobytes() == np.ascontiguousarray(wanted.numpy()).tobytes()
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        assert [type(key) for key in found] == [type(key) for key in wanted]
        for key in wanted:
            assert_equal(found[key], wanted[key])
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_equal(one, other)
    else:
        assert found == wanted or (math.isnan(found) and math.isnan(wanted))


@settings(deadline=None)
@given(STRUCTURES)
def test_everything_comes_back(tmp_path_factory: pytest.TempPathFactory, structure: Any) -> None:
    path = tmp_path_factory.mktemp("saved") / "file.safetensors"
    cg.save(structure, path)
    assert_equal(cg.load(path), structure)


def test_an_ordered_state_dict_stays_ordered(tmp_path: Path) -> None:
    state = OrderedDict([("z", cg.ones(2)), ("a", cg.zeros(1))])
    cg.save(state, tmp_path / "f")
    assert_equal(cg.load(tmp_path / "f"), state)


def test_keys_that_collide_as_text_are_told_apart(tmp_path: Path) -> None:
    tensors = {
        "a": {"b": cg.ones(1)},
        "a.b": cg.zeros(1),
        1: cg.full((1,), 2.0),
        "1": cg.full((1,), 3.0),
    }
    cg.save(tensors, tmp_path / "f")
    assert_equal(cg.load(tmp_path / "f"), tensors)


def test_views_are_written_as_they_read(tmp_path: Path) -> None:
    # safetensors itself writes the memory of an array that is not contiguous, in the wrong order.
    whole = cg.arange(24).reshape(2, 3, 4)
    views = {"t": whole.permute(2, 0, 1), "s": whole[:, 1:, ::2], "e": cg.ones(1, 3).expand(2, 3)}
    cg.save(views, tmp_path / "f")
    for name, tensor in cg.load(tmp_path / "f").items():
        assert np.array_equal(tensor.numpy(), views[name].numpy())


def test_any_reader_of_safetensors_opens_a_state_dict(tmp_path: Path) -> None:
    model = cg.nn.Linear(3, 2)
    cg.save(model.state_dict(), tmp_path / "f.safetensors")
    arrays = load_file(tmp_path / "f.safetensors")
    assert set(arrays) == {"weight", "bias"}
    assert np.array_equal(arrays["weight"], model.weight.detach().numpy())


def test_any_safetensors_file_is_a_flat_dict(tmp_path: Path) -> None:
    save_file({"layer.weight": np.ones((2, 2), np.float32)}, tmp_path / "f.safetensors")
    loaded = cg.load(tmp_path / "f.safetensors")
    assert list(loaded) == ["layer.weight"]
    assert loaded["layer.weight"].tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_what_is_loaded_has_no_history_and_its_own_memory(tmp_path: Path) -> None:
    weight = cg.ones(2, requires_grad=True)
    cg.save({"w": weight * 2}, tmp_path / "f")
    loaded = cg.load(tmp_path / "f")["w"]
    assert not loaded.requires_grad
    loaded.add_(1)
    assert cg.load(tmp_path / "f")["w"].tolist() == [2.0, 2.0]


def test_an_open_file_and_pathlike_are_taken(tmp_path: Path) -> None:
    cg.save([1, 2], str(tmp_path / "f"))
    assert cg.load(tmp_path / "f") == [1, 2]
    with pytest.raises(TypeMismatch, match="save writes to a path"):
        cg.save([1], io.BytesIO())  # type: ignore[arg-type]


def test_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "boom"),))

    plain = tmp_path / "weights.pt"
    plain.write_bytes(pickle.dumps(Bomb(), protocol=2))
    with zipfile.ZipFile(tmp_path / "new.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(), protocol=2))
    for path in (plain, tmp_path / "new.pt"):
        with pytest.raises(NotAvailable, match=r"PyTorch pickle.*safetensors\.torch\.save_file"):
            cg.load(path)
    with pytest.raises(NotAvailable, match="weights_only=False"):
        cg.load(plain, weights_only=False)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 4, b"not a file of tensors" * 3, b"\xff" * 100])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"f\.safetensors is not a safetensors file, or is damaged"):
        cg.load(path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    cg.save({"w": cg.ones(100)}, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="damaged"):
            cg.load(path)


def test_metadata_of_another_shape_is_refused(tmp_path: Path) -> None:
    for text in ("not json", json.dumps({"pairs": 3}), json.dumps({"tensor": "absent"})):
        save_file({"w": np.ones(1)}, tmp_path / "f", {"chalkgrad": text})
        with pytest.raises(DataError, match="damaged"):
            cg.load(tmp_path / "f")


def test_what_cannot_be_saved_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeMismatch, match=r"cannot write a function \(a\.hook\)"):
        cg.save({"a": {"hook": lambda: 0}}, tmp_path / "f")
    with pytest.raises(TypeMismatch, match=r"model\.state_dict\(\)"):
        cg.save(cg.nn.Linear(1, 1), tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_and_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        cg.load(tmp_path / "absent")
    with pytest.raises(DataError, match="cannot write"):
        cg.save([1], tmp_path / "no" / "folder")


# A file appears whole or not at all.
@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "f"
    cg.save([1], path)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(DataError, match=r"cannot write .*No space left on device"):
        cg.save([2], path)
    monkeypatch.undo()
    assert cg.load(path) == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_bytes_that_read_back_otherwise_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_whole(path, b"old")
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"rotten")
    with pytest.raises(DataError, match="reads back with other bytes"):
        write_whole(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"


def test_permissions_are_kept_and_follow_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "f"
    before = os.umask(0o027)
    try:
        write_whole(path, b"1")
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o600)
        write_whole(path, b"2")
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_link_is_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    write_whole(target, b"1")
    link.symlink_to(target)
    write_whole(link, b"2")
    assert link.is_symlink()
    assert target.read_bytes() == b"2"
