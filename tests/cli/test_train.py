"""`chalkgrad train`, `predict` and `evaluate`: the main job from a shell, end to end."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chalkgrad.core.errors import MissingExtra
from chalkgrad.data.tables import extras
from chalkgrad.training.table_run import Prepared, Settings, load_run
from tests.cli.conftest import TABLES, Shell, write_csv

IRIS = TABLES / "iris.csv"
DIABETES = TABLES / "diabetes.csv"
Table = Callable[[str], Path]


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# The whole way.
def test_iris_from_file_to_predictions(shell: Shell, tmp_path: Path) -> None:
    said = shell("train", IRIS, "--target", "species", "--save", "run", "--seed", "1")
    assert said.code == 0
    assert said.out.startswith("species: accuracy ")
    assert said.out.count("\n") == 1
    for words in (
        "petal_length_cm", "43 distinct of 150 values", "3 distinct labels, not numbers",
        "96 rows train, 24 choose the epoch, 30 are held out (seed 1)",
        "30 held-out rows", "baseline (class shares)", "saved in run; use it with:",
    ):  # fmt: skip
        assert words in said.err
    answer = shell("predict", "run", IRIS)
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert list(rows[0]) == ["species", "p(setosa)", "p(versicolor)", "p(virginica)"]
    truth = [row["species"] for row in rows_of(IRIS)]
    right = [row["species"] == label for row, label in zip(rows, truth, strict=True)]
    assert statistics.mean(right) > 0.95
    for row in rows:
        shares = {label: float(row[f"p({label})"]) for label in set(truth)}
        assert math.isclose(sum(shares.values()), 1, abs_tol=1e-4)
        assert max(shares, key=shares.__getitem__) == row["species"]
    scores = dict(line.split() for line in shell("evaluate", "run", IRIS).out.splitlines())
    assert float(scores["accuracy"]) == pytest.approx(statistics.mean(right), abs=1e-6)


def test_what_a_run_folder_holds(shell: Shell, tmp_path: Path) -> None:
    shell("train", IRIS, "--target", "species", "--save", "run", "--epochs", "4", "--quiet")
    folder = tmp_path / "run"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "checkpoint.safetensors", "history.csv", "metrics.json", "model.safetensors",
        "preprocessing.skops", "settings.toml",
    ]  # fmt: skip
    settings = tomllib.loads((folder / "settings.toml").read_text())
    assert settings["data"] == str(IRIS.resolve())
    assert (settings["target"], settings["epochs"], settings["hidden"]) == ("species", 4, [64, 32])
    assert set(settings) == set(Settings.__dataclass_fields__)
    history = rows_of(folder / "history.csv")
    assert list(history[0])[:5] == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [row["epoch"] for row in history] == ["1", "2", "3", "4"]
    report = json.loads((folder / "metrics.json").read_text())
    assert report["rows"] == {"train": 96, "validation": 24, "test": 30}
    card = (folder / "README.md").read_text()
    for words in ("species from iris.csv", "| accuracy |", "2,499 parameters, seed 0", "Linear(in"):
        assert words in card
    for path in folder.iterdir():  # a pickle begins so
        assert not path.read_bytes().startswith(
            (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
        )


def test_the_saved_run_predicts_the_same_numbers(tmp_path: Path) -> None:
    for name, path, target in (("i", IRIS, "species"), ("d", DIABETES, "progression")):
        prepared = Prepared.of(Settings(data=str(path), target=target, epochs=5))
        made = prepared.train(tmp_path / name, resume=False, verbose=0).model
        loaded = load_run(tmp_path / name)
        first, second = made.predict(prepared.table)[0], loaded.predict(prepared.table)[0]
        assert np.array_equal(first, second)


def test_evaluate_agrees_with_the_report_on_the_same_rows(shell: Shell, tmp_path: Path) -> None:
    shell("train", DIABETES, "--target", "progression", "--save", "run", "--epochs", "9", "--quiet")
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())
    prepared = Prepared.of(Settings.from_toml(tmp_path / "run" / "settings.toml"))
    held = {int(prepared.table.rows[k]) for k in prepared.parts.test}
    lines = DIABETES.read_text().splitlines()  # a table's row 2 is the file's second line
    kept = [lines[0], *(line for number, line in enumerate(lines, 1) if number in held)]
    (tmp_path / "held.csv").write_text("\n".join(kept) + "\n")
    scores = json.loads(shell("evaluate", "run", "held.csv", "--json", "--quiet").out)
    assert scores.pop("rows") == len(held)
    # The network computes in float32, and a matrix product rounds by the number of rows that it
    # is given: the report's rows came with the others, these came alone.
    assert scores == pytest.approx(report["scores"], rel=2e-6)


def test_regression_says_amounts_in_their_own_units(shell: Shell, tmp_path: Path) -> None:
    said = shell("train", DIABETES, "--target", "progression", "--save", "run")
    assert said.out.startswith("progression: r2 0.")
    assert float(said.out.split()[2]) > 0.35
    for words in (
        "patient", "identifier", "3 rows without a target ('progression') left out",
        "45 cells read as missing", "baseline (mean)", "rmse", "mae",
    ):  # fmt: skip
        assert words in said.err
    predicted = [float(line) for line in shell("predict", "run", DIABETES).out.splitlines()[1:]]
    assert len(predicted) == 442
    assert 100 < statistics.mean(predicted) < 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "key", "floor"),
    [("iris", "accuracy", 0.9), ("wine", "accuracy", 0.95), ("breast_cancer", "accuracy", 0.94),
     ("diabetes", "r2", 0.35)],
)  # fmt: skip
def test_quality_over_seeds(table: Table, name: str, key: str, floor: float) -> None:
    path = str(table(name))
    scores = []
    for seed in range(4):
        result = Prepared.of(Settings(data=path, target="target", seed=seed)).train(
            None, resume=False, verbose=0
        )
        assert result.scores[key] > result.baseline[key] + 0.2
        scores.append(result.scores[key])
    assert statistics.mean(scores) > floor


def test_parquet(shell: Shell, tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.csv.read_csv(IRIS), tmp_path / "iris.parquet")
    said = shell("train", "iris.parquet", "--target", "species", "--epochs", "30", "--save", "run")
    assert said.code == 0
    assert shell("predict", "run", "iris.parquet", "--quiet").out == shell(
        "predict", "run", IRIS, "--quiet"
    ).out  # fmt: skip


# stdout is data, stderr is messages.
def test_json_and_quiet(shell: Shell) -> None:
    said = shell("train", IRIS, "--target", "species", "--epochs", "3", "--json", "--quiet")
    assert (said.code, said.err) == (0, "")
    report = json.loads(said.out)
    assert report["task"] == "classification"
    assert report["classes"] == ["setosa", "versicolor", "virginica"]
    assert (report["epochs"], report["best_epoch"]) == (3, 3)
    assert report["executor"].startswith("native, whole epochs")
    assert set(report["scores"]) == set(report["baseline"]) == {"accuracy", "f1", "log_loss"}
    assert report["measured_on"] == "30 held-out rows"


def test_predictions_as_json_lines(shell: Shell) -> None:
    shell("train", IRIS, "--target", "species", "--epochs", "3", "--save", "run", "--quiet")
    lines = shell("predict", "run", IRIS, "--json", "--quiet").out.splitlines()
    assert len(lines) == 150
    record = json.loads(lines[0])
    assert record["prediction"] in record["probabilities"]
    shell("train", DIABETES, "--target", "progression", "--epochs", "3", "--save", "d", "--quiet")
    first = json.loads(shell("predict", "d", DIABETES, "--json", "--quiet").out.splitlines()[0])
    assert isinstance(first["prediction"], float)


def test_no_colour_in_a_pipe_or_with_no_color(process: Shell) -> None:
    for environment in ({}, {"NO_COLOR": "1", "TERM": "xterm-256color", "FORCE_COLOR": ""}):
        said = process("train", IRIS, "--target", "species", "--epochs", "2", **environment)
        assert said.code == 0
        assert "\x1b[" not in said.err + said.out


def test_predictions_are_written_whole_or_not_at_all(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("train", IRIS, "--target", "species", "--epochs", "3", "--save", "run", "--quiet")
    said = shell("predict", "run", IRIS, "-o", "out.csv")
    assert said.out == ""
    assert "150 predictions written to out.csv" in said.err
    kept = (tmp_path / "out.csv").read_bytes()
    assert kept.decode() == shell("predict", "run", IRIS).out

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    said = shell("predict", "run", IRIS, "-o", "out.csv")
    assert said.code == 2
    assert "No space left on device" in said.err
    assert (tmp_path / "out.csv").read_bytes() == kept
    assert not list(tmp_path.glob(".out*"))


def test_a_reader_that_goes_away_is_no_error(process: Shell, tmp_path: Path) -> None:
    process("train", IRIS, "--target", "species", "--epochs", "2", "--save", "run")
    line = f"{sys.executable} -m chalkgrad predict run {IRIS} | head -2"
    done = subprocess.run(
        line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


# Going on.
def test_resume_goes_on_as_if_it_had_not_stopped(shell: Shell, tmp_path: Path) -> None:
    common = ["--target", "species", "--quiet", "--dropout", "0.2"]
    shell("train", IRIS, *common, "--epochs", "12", "--save", "whole")
    shell("train", IRIS, *common, "--epochs", "5", "--save", "part")
    said = shell("train", "--resume", "part", "--epochs", "12", "--json")
    assert json.loads(said.out)["epochs"] == 12
    for name in ("model.safetensors", "metrics.json"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    columns = [
        [{**row, "seconds": ""} for row in rows_of(tmp_path / run / "history.csv")]
        for run in ("part", "whole")
    ]  # fmt: skip
    assert columns[0] == columns[1]
    settings = tomllib.loads((tmp_path / "part" / "settings.toml").read_text())
    assert settings["epochs"] == 12


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hidden", "8"], "--hidden is 8, the run's is 64,32"),
        (["--batch-size", "8"], "--batch-size is 8, the run's is 32"),
        (["--target", "petal_width_cm"], "--target is petal_width_cm, the run's is species"),
        ([str(DIABETES)], "the data file is"),
    ],
)
def test_resume_changes_nothing_but_the_epochs(
    shell: Shell, arguments: list[str], words: str
) -> None:
    shell("train", IRIS, "--target", "species", "--epochs", "2", "--save", "run", "--quiet")
    said = shell("train", *arguments, "--resume", "run")
    assert said.code == 2
    assert words in said.err
    assert shell("train", "--resume", "run", "--target", "species", "--epochs", "3").code == 0


def test_data_that_has_changed_is_not_resumed(shell: Shell, tmp_path: Path) -> None:
    lines = IRIS.read_text().splitlines()
    (tmp_path / "iris.csv").write_text("\n".join(lines))
    shell("train", "iris.csv", "--target", "species", "--epochs", "2", "--save", "run", "--quiet")
    (tmp_path / "iris.csv").write_text("\n".join(lines[:-5]))
    said = shell("train", "--resume", "run", "--epochs", "4")
    assert said.code == 2
    assert "cannot be resumed here: its training data is" in said.err


def test_a_folder_that_holds_a_run_is_not_overwritten(shell: Shell) -> None:
    shell("train", IRIS, "--target", "species", "--epochs", "2", "--save", "run", "--quiet")
    said = shell("train", IRIS, "--target", "species", "--save", "run")
    assert said.code == 2
    assert "run already holds a run: choose another --save folder, or --resume run" in said.err


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chalkgrad", "train", str(IRIS), "--target", "species"]
    running = subprocess.Popen(
        [*command, "--save", "run", "--epochs", "100000", "--patience", "100000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("epoch 20/"):
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert running.returncode == 130
    assert out == ""
    assert "checkpoint saved; go on with: chalkgrad train --resume run" in err
    assert "Traceback" not in err
    unfinished = subprocess.run(
        [sys.executable, "-m", "chalkgrad", "predict", "run", str(IRIS)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert unfinished.returncode == 2
    assert (
        "run has no trained model yet: finish it with chalkgrad train --resume run"
        in unfinished.stderr
    )


# What is wrong is said.
BAD: list[tuple[list[str], str]] = [
    ([], "train needs a data file: chalkgrad train DATA.csv --target COLUMN"),
    ([str(IRIS)], "train needs --target COLUMN"),
    ([str(IRIS), "--target", "specie"], "has no column 'specie'. Did you mean species?"),
    (["absent.csv", "--target", "x"], "there is no file"),
    ([str(IRIS), "--target", "species", "--hidden", "a,b"], "--hidden 'a,b': give widths such as"),
    ([str(IRIS), "--target", "species", "--epochs", "many"], "epochs"),
    ([str(IRIS), "--target", "species", "--epoch", "3"], "--epoch. Did you mean --epochs?"),
    ([str(IRIS), "--target", "species", "--validation", "0.9"], "together less than 1"),
    ([str(IRIS), "--target", "species", "--drop", "petal"], "no column 'petal'"),
    ([str(IRIS), "--target", "species", "--task", "clasify"], "task 'clasify' is not known"),
    ([str(IRIS), "--target", "species", "--task", "regression"], "species"),
    ([str(IRIS), "--target", "species", "--batch-size", "0"], "batch_size=0"),
    (["--resume", "absent"], "absent is not a run folder: it has no settings.toml"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_usage_is_one_line_and_exit_2(shell: Shell, arguments: list[str], words: str) -> None:
    said = shell("train", *arguments)
    assert (said.code, said.out) == (2, "")
    line = said.err.splitlines()[-1]
    assert line.startswith("chalkgrad: ")
    assert words in line
    assert "Traceback" not in said.err


def test_a_ragged_row_is_named(shell: Shell, tmp_path: Path) -> None:
    lines = IRIS.read_text().splitlines()
    lines[41] += ",9"
    (tmp_path / "bad.csv").write_text("\n".join(lines))
    said = shell("train", "bad.csv", "--target", "species")
    assert said.code == 2
    assert "bad.csv row 42 has 6 fields; the header has 5" in said.err


def test_a_missing_column_and_an_unknown_category_at_prediction(
    shell: Shell, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    towns = ["Ghent", "Lund", "Porto"]
    rows = [[towns[k % 3], f"{rng.normal():.3f}", "yes" if k % 3 else "no"] for k in range(60)]
    write_csv(tmp_path / "t.csv", ["town", "size", "sold"], rows)
    assert shell("train", "t.csv", "--target", "sold", "--save", "run", "--epochs", "3").code == 0
    write_csv(tmp_path / "new.csv", ["town", "size"], [["Ghent", "1.0"], ["Oslo", "2.0"]])
    said = shell("predict", "run", "new.csv")
    assert said.code == 0
    assert "Oslo" in said.err
    assert "town" in said.err
    assert len(said.out.splitlines()) == 3
    write_csv(tmp_path / "less.csv", ["twon", "size"], [["Ghent", "1.0"]])
    said = shell("predict", "run", "less.csv")
    assert said.code == 2
    assert "'town'" in said.err
    assert "twon" in said.err
    write_csv(tmp_path / "unlabelled.csv", ["town", "size"], [["Ghent", "1.0"]])
    said = shell("evaluate", "run", "unlabelled.csv")
    assert said.code == 2
    assert "sold" in said.err


def test_a_run_that_diverges_names_the_place(shell: Shell, tmp_path: Path) -> None:
    said = shell(
        "train", DIABETES, "--target", "progression", "--learning-rate", "1e30", "--save", "r"
    )
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith(
        "chalkgrad: epoch 1, batch 2 of 9: the loss is no longer"
    )


def test_rows_that_train_and_are_measured_are_not_called_held_out(
    shell: Shell, tmp_path: Path
) -> None:
    options = ["--target", "species", "--test", "0", "--validation", "0", "--epochs", "3"]
    said = shell("train", IRIS, *options, "--save", "run")
    assert said.code == 0
    assert "on 150 training rows" in said.out
    assert "held-out" not in said.out + said.err
    assert "training saw them: none were held out" in (tmp_path / "run" / "README.md").read_text()


# Settings from chalkgrad.toml.
def test_a_file_of_settings_is_overridden_by_flags(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "chalkgrad.toml").write_text(
        '[train]\nhidden = "16"\nepochs = 2\ntarget = "species"\ndrop = ["petal_width_cm"]\n'
    )
    shell("train", IRIS, "--save", "a", "--quiet")
    shell("train", IRIS, "--save", "b", "--hidden", "8,4", "--quiet")
    found = [tomllib.loads((tmp_path / run / "settings.toml").read_text()) for run in "ab"]
    assert [settings["hidden"] for settings in found] == [[16], [8, 4]]
    assert [settings["epochs"] for settings in found] == [2, 2]
    assert [settings["drop"] for settings in found] == [["petal_width_cm"]] * 2


@pytest.mark.parametrize(
    ("text", "words"), [('[train]\nhiden = "16"\n', "hiden"), ("[train\n", "chalkgrad.toml")]
)
def test_a_bad_file_of_settings_is_named(
    shell: Shell, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "chalkgrad.toml").write_text(text)
    said = shell("train", IRIS, "--target", "species", "--epochs", "2")
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("module", ["pyarrow", "sklearn.impute", "skops.io"])
def test_a_missing_package_comes_with_its_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    real = extras.import_module

    def absent(name: str) -> Any:
        if name.split(".")[0] == module.split(".")[0]:
            raise ImportError(f"No module named {name!r}")
        return real(name)

    monkeypatch.setattr(extras, "import_module", absent)
    said = shell("train", IRIS, "--target", "species", "--epochs", "2", "--save", "run")
    assert said.code == 2
    assert 'install it with: pip install "chalkgrad[tables]"' in said.err
    assert issubclass(MissingExtra, ImportError)
