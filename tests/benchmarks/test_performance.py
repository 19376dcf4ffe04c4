"""The page of performance says what its run says, and the list of losses misses none."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks import goals, limit, page, run
from benchmarks.cases import CASES, Case
from benchmarks.engines import ENGINES
from benchmarks.startup import COLD
from benchmarks.worker import Worker

Document = dict[str, Any]


@pytest.fixture
def committed() -> Document:
    document: Document = json.loads(page.RESULTS.read_text("utf-8"))
    return document


def step(*rounds: float) -> Document:
    return {
        "microseconds": sorted(rounds)[1],
        "rounds": list(rounds),
        "first_chunk_seconds": 0.1,
        "loss": 0.5,
    }


def document(**engines: Document) -> Document:
    """A run of one case on two threads; the limit allows a step of 5 µs."""
    named = {name.replace("_", " "): result for name, result in engines.items()}
    return {
        "steps": {"2": {"digits 64-32-10": named}},
        "limits": {
            "2": {
                "gflops": 190.0,
                "gflops_of_one": 100.0,
                "gigabytes": {"digits 64-32-10": 50.0},
                "floors": {"digits 64-32-10": 5.0},
            }
        },
        "first": {},
        "programs": {},
        "startup": {},
    }


def test_a_step_s_time_stands_beside_what_its_products_would_take() -> None:
    run_ = document()
    run_["limits"]["1"] = {"gflops": 100.0}
    large = {"writes": "w′ [Adam]", "microseconds": 6.0, "flops": 200_000.0}
    small = {"writes": "loss", "microseconds": 0.2, "flops": 0.0}
    run_["profiles"] = {"digits": {"step": 8.0, "kernels": [small, large]}}
    lines = page.profiles(run_).splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    assert rows[2:] == [
        ["w′ [Adam]", "6.00", "2.00"],
        ["1 smaller ones, and what is between them", "2.00", ""],
    ]


# The committed page.
def test_the_page_is_what_would_be_written(committed: Document) -> None:
    assert page.PAGE.read_text("utf-8") == page.page(committed), f"run `{page.COMMAND}`"


def test_a_changed_number_changes_the_page(committed: Document) -> None:
    result = committed["steps"]["2"]["xor"][page.NATIVE]
    before = page.page(committed)
    result["microseconds"] *= 3
    assert page.page(committed) != before


def test_the_committed_run_is_whole(committed: Document) -> None:
    assert page.lacking(committed) == ""
    assert list(committed["steps"]) == ["1", "2"]


@pytest.mark.parametrize(
    ("part", "message"),
    [("steps", "no steps"), ("limits", "no limits"), ("first", "no first"), ("startup", "startup")],
)
def test_a_part_of_a_run_is_not_kept(
    committed: Document, part: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed[part] = {}
    file = tmp_path / "run.json"
    file.write_text(json.dumps(committed), "utf-8")
    kept = page.RESULTS.read_bytes()
    assert page.main([str(file)]) == 1
    assert message in capsys.readouterr().err
    assert page.RESULTS.read_bytes() == kept


def test_a_run_with_a_fault_is_not_kept(committed: Document) -> None:
    committed["faults"] = ["jax step on xor: loss 1, the others 2"]
    assert page.lacking(committed) == "it had a fault, jax step on xor: loss 1, the others 2"


def test_a_case_without_our_engine_is_no_whole_run(committed: Document) -> None:
    del committed["steps"]["1"]["xor"][page.NATIVE]
    assert page.lacking(committed) == "xor on 1 threads has no chalkgrad native"


# Ratios.
def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    one, other = step(10, 20, 30), step(1, 1, 30)  # rounds: 10, 20 and 1 times
    assert page.ratio(one, other) == 10


def test_the_better_peer_is_compared() -> None:
    results = document(
        chalkgrad_native=step(10, 10, 10), jax_scan=step(40, 40, 40), jax_step=step(30, 30, 30)
    )["steps"]["2"]["digits 64-32-10"]
    assert page.best(results, page.JAX) == ("jax step", 3)
    assert page.best(results, page.TORCH) is None


# Where we lose.
def test_nothing_is_lost_where_every_goal_is_reached() -> None:
    peers = {"jax_scan": step(40, 40, 40), "torch_eager": step(900, 900, 900)}
    text = page.losses(document(chalkgrad_native=step(10, 10, 10), **peers))
    assert text.endswith("Nowhere in this run.\n")


def test_a_faster_peer_is_named_with_both_times() -> None:
    ours, theirs = step(10, 10, 10), step(5, 5, 5)
    found = list(page.faster(document(chalkgrad_native=ours, numpy_by_hand=theirs), page.NATIVE))
    assert found == ["digits 64-32-10, 2 threads: numpy by hand by 2 times, 5.00 µs to our 10.0 µs"]


def test_our_other_engines_are_no_peers() -> None:
    run_ = document(chalkgrad_native=step(10, 10, 10), chalkgrad_fit=step(5, 5, 5))
    assert list(page.faster(run_, page.NATIVE)) == []


def test_a_missed_goal_says_what_it_would_take() -> None:
    ours, theirs = step(10, 10, 10), step(20, 20, 20)  # goal 3: 6.67 µs, the floor is 5 µs
    (line,) = page.missed(document(chalkgrad_native=ours, jax_scan=theirs))
    assert line == (
        "digits 64-32-10, 2 threads: 2 times JAX's speed, not 3; "
        "it would take 75 % of the processor's limit, we are at 50 %"
    )


def test_a_goal_below_the_floor_is_out_of_reach() -> None:
    ours, theirs = step(10, 10, 10), step(12, 12, 12)  # goal 3: 4 µs
    (line,) = page.missed(document(chalkgrad_native=ours, jax_step=theirs))
    assert "out of reach: it would take 125 % of the processor's limit" in line


def test_a_limit_that_was_measured_beside_others_is_not_used() -> None:
    ours, theirs = step(10, 10, 10), step(12, 12, 12)
    run_ = document(chalkgrad_native=ours, jax_step=theirs)
    assert "together reached" not in page.limits(run_)
    run_["limits"]["2"]["gflops"] = 101.0
    (line,) = page.missed(run_)
    assert line == "digits 64-32-10, 2 threads: 1.2 times JAX's speed, not 3"
    assert "2 threads together reached 1.01 times the peak of one" in page.limits(run_)


def test_late_beginnings_name_their_longest_part() -> None:
    run_ = document(chalkgrad_native=step(1, 1, 1))
    parts = {"llvmlite": 0.05, "trace": 0.01, "lower": 0.1, "llvm": 0.2, "load": 0.01, "rest": 0.0}
    run_["first"] = {"xor": {"cold": parts | {"total": 0.37}, "cached": dict.fromkeys(parts, 0.0)}}
    run_["first"]["xor"]["cached"]["total"] = goals.CACHED
    run_["programs"] = {page.NATIVE: 0.34, COLD: 0.5}
    assert list(page.late(run_)) == [
        "xor, cold: 0.370 s, not 0.3 s; LLVM takes 0.200 s",
        "the XOR process, chalkgrad native, empty cache: 0.500 s, not 0.35 s",
    ]


def test_the_committed_page_lists_every_loss(committed: Document) -> None:
    text = page.PAGE.read_text("utf-8").split("## Where we lose")[1]
    for threads, cases in committed["steps"].items():
        for case, results in cases.items():
            ours = results[page.NATIVE]
            for name, peer in results.items():
                slower = page.ratio(ours, peer) > 1 and not name.startswith("chalkgrad")
                line = f"{case}, {page.several(threads)}: {name} by"
                of_native = text.split("`fit`'s")[0]
                assert (line in of_native) == slower, line


def test_a_peer_that_did_not_run_is_named() -> None:
    text = page.losses(document(chalkgrad_native=step(1, 1, 1), torch_eager=step(90, 90, 90)))
    (line,) = [line for line in text.splitlines() if line.startswith("run, and so not compared")]
    assert "numpy by hand" in line
    assert "torch eager" not in line


# The limit.
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_operations_are_those_of_the_loops(case: Case) -> None:
    if case.kind == "cnn":  # 3×3 over 28² places, then over 14², then 1568 to 10
        layers = [(16 * 9, 784), (32 * 16 * 9, 196), (1568 * 10, 1)]
    else:
        layers = [(a * b, 1) for a, b in zip(case.widths, case.widths[1:], strict=False)]
    products = [2 * case.batch * weights * places for weights, places in layers]
    assert limit.operations(case) == 3 * sum(products) - products[0]


def test_the_state_of_adam_is_three_times_the_parameters() -> None:
    case = CASES["digits 64-32-10"]
    assert limit.parameters(case) == 64 * 32 + 32 + 32 * 10 + 10
    assert limit.state_bytes(case) == 3 * 4 * limit.parameters(case)
    assert limit.state_bytes(CASES["xor"]) == 4 * 9


def test_a_floor_adds_arithmetic_and_traffic() -> None:
    case = CASES["xor"]
    found = {"gflops": 2.0, "gigabytes": {"xor": 4.0}}
    assert limit.floor(case, found) == pytest.approx(limit.operations(case) / 2e3 + 72 / 4e3)


def test_the_kernels_compute_what_is_counted() -> None:
    """The peak's accumulators come to 1/(1 − ½) each; the scaled array stays what it is."""
    import numpy as np

    kernels = limit.Kernels(1)
    sink = np.zeros(kernels.lanes, np.float32)
    kernels._seconds("multiply", table(sink), 100)
    np.testing.assert_allclose(sink, 2 * kernels.accumulators, rtol=1e-6)
    array = np.zeros(4096 + 16, np.float32)
    array = array[-array.__array_interface__["data"][0] % 64 // 4 :][:4096]
    array[:] = np.arange(4096)
    kernels._seconds("scale", table(array), 3)
    np.testing.assert_array_equal(array, np.arange(4096))


def table(array: Any) -> Any:
    import numpy as np

    return np.array([0, array.size, array.__array_interface__["data"][0]], np.int64)


# The run.
def test_every_case_has_its_goals() -> None:
    assert set(goals.GOALS) == set(CASES)


def test_compiled_engines_train_what_the_person_wrote() -> None:
    """The same losses, whether chalkgrad's step runs eagerly, as one program, or as many steps."""
    case = CASES["digits 64-32-10"]
    found = {}
    for name in ("chalkgrad eager", "chalkgrad native", "chalkgrad step", "chalkgrad numpy"):
        training = ENGINES[name].prepare(case)
        before = training.loss()
        training(case.chunk)
        found[name] = training.loss()
        assert found[name] < before
    assert list(found.values()) == pytest.approx([found["chalkgrad eager"]] * 4, rel=1e-4)


def test_the_document_says_what_was_asked_for(tmp_path: Path) -> None:
    words = ["--rounds", "1", "--seconds", "0.01", "--threads", "1", "--no-startup"]
    words += ["--cases", "xor", "--engines", "numpy by hand", "--json", str(tmp_path / "a.json")]
    assert run.main(words) == 0
    made = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert made["effort"] == {"rounds": 1, "seconds": 0.01}
    assert made["command"].startswith("python -m benchmarks.run --rounds 1 --seconds 0.01")
    assert "'numpy by hand'" in made["command"]
    (result,) = made["steps"]["1"]["xor"].values()
    assert result["rounds"] == [result["microseconds"]]


def test_different_losses_are_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    report = run.Report(run.QUICK)
    results = {name: {"loss": 0.5} for name in ("chalkgrad native", "torch eager", "jax step")}
    report.compare_losses(CASES["xor"], deepcopy(results))
    assert report.document["faults"] == []
    results["chalkgrad native"]["loss"] = 0.51
    report.compare_losses(CASES["xor"], results)
    expected = "chalkgrad native on xor: loss 0.510000, the others 0.500000"
    assert report.document["faults"] == [expected]
    assert expected in capsys.readouterr().err


def test_an_engine_that_dies_is_a_fault_and_not_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Worker):
        def steps_lasting(self, seconds: float) -> int:
            self._process.kill()
            return super().steps_lasting(seconds)

    monkeypatch.setattr(run, "Worker", Dying)
    report = run.Report(run.QUICK)
    report.measure(CASES["xor"], [ENGINES["numpy by hand"]], 1)
    assert report.document["faults"] == ["xor, 1 threads: its process died (exit -9)"]
    assert report.results(1, CASES["xor"]) == {}
