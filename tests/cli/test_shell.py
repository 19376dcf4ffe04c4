"""The command line itself: help, errors, speed of starting, doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import chalkgrad
from tests.cli.conftest import Shell

HEAVY = {
    "sklearn", "pandas", "pyarrow", "scipy", "matplotlib", "llvmlite", "skops", "torch", "jax",
    "starlette", "uvicorn", "websockets", "anywidget", "ipywidgets", "tomlkit",
}  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """The packages that a program has imported by its end."""
    program = (
        f"import sys\n{code}\nprint('\\n' + ' '.join({{m.split('.')[0] for m in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_and_asking_for_help_load_nothing_heavy() -> None:
    assert not HEAVY & loaded_after("import chalkgrad")
    help = "import chalkgrad.cli\ntry: chalkgrad.cli.main(['--help'])\nexcept SystemExit: pass"
    loaded = loaded_after(help)
    assert not HEAVY & loaded
    modules = (
        "import chalkgrad.cli, sys\ntry: chalkgrad.cli.main(['--help'])\nexcept SystemExit: pass\n"
    )
    assert "chalkgrad.training" not in loaded_modules(modules)


def loaded_modules(code: str) -> set[str]:
    program = f"{code}\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_training_loads_nothing_that_is_not_needed() -> None:
    code = (
        "import chalkgrad as cg\n"
        "cg.fit(cg.nn.Linear(1, 1), [[1.0], [2.0]], [1.0, 2.0], loss='mse', epochs=2, verbose=0)"
    )
    assert HEAVY & loaded_after(code) <= {"llvmlite"}


def test_help_and_version(shell: Shell) -> None:
    said = shell("--help")
    assert (said.code, said.err) == (0, "")
    for command in ("train", "predict", "evaluate", "studio", "demo", "doctor"):
        assert command in said.out
        assert shell(command, "--help").code == 0
    assert shell("--version").out.strip() == chalkgrad.__version__
    assert "--weight-decay" in shell("train", "--help").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], 'Unknown command "trian". Did you mean "train"?'),
        (["predict"], "RUN"),
        (["predict", "run"], "DATA"),
        (["doctor", "--jsn"], "--json"),
        (["demo", "--no-lecture"], "--no-lectures"),
        (["evaluate", "a", "b", "c"], "c"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(shell: Shell, arguments: list[str], words: str) -> None:
    said = shell(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("chalkgrad: ")
    assert len(said.err.splitlines()) == 1
    assert words in said.err


def test_a_mistake_is_one_line_where_the_extras_are_absent(tmp_path: Path) -> None:
    for name in ("pyarrow", "sklearn", "skops", "matplotlib", "jax"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')\n")
    done = subprocess.run(
        [sys.executable, "-m", "chalkgrad", "trian"], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith('chalkgrad: Unknown command "trian"')
    assert len(done.stderr.splitlines()) == 1


def test_doctor_says_what_runs(shell: Shell) -> None:
    said = shell("doctor")
    assert said.code == 0
    assert said.out.startswith(f"chalkgrad {chalkgrad.__version__}, Python ")
    assert "executor numpy  runs: numpy, one program a step" in said.out
    assert "executor eager  runs: numpy, eagerly" in said.out
    assert "executor native runs: native, whole epochs" in said.out
    assert "native code     " in said.out
    assert "vectors of" in said.out
    found = json.loads(shell("doctor", "--json").out)
    assert set(found["native"]) == {"native code", "threads", "compiled code"}
    assert set(found["packages"]) == {"numpy", "safetensors", "rich", "cyclopts"}
    assert found["extras"]["tables"]["missing"] == []
    assert found["extras"]["plot"]["install"] == 'pip install "chalkgrad[plot]"'


def test_a_folder_that_cannot_be_written_is_said(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    table = Path(__file__).parents[2] / "examples" / "tables" / "iris.csv"
    said = shell("train", table, "--target", "species", "--save", "file/run")
    assert said.code == 2
    assert "file" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err
