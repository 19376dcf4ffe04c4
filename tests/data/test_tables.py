"""Tables: what is read, what is refused and in which words, and what a model is given."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import DataError, MissingExtra
from chalkgrad.data.splits import split
from chalkgrad.data.tables import (
    Preprocessor,
    Schema,
    Table,
    TargetScaler,
    extras,
    from_arrow,
    from_columns,
    infer,
    labelled,
    read,
)
from chalkgrad.data.tables.table import MISSING

arrow = pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")
skops = pytest.importorskip("skops.io")

EXAMPLES = Path(__file__).parents[2] / "examples" / "tables"
TWO_CLASSES = [*"ab"] * 20


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    return tmp_path / "prices.csv"


def reading(path: Path, content: str | bytes, **options: Any) -> Table:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, **options)


def refusal(path: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(DataError, match=path.name) as caught:
        reading(path, content, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def cells(table: Table) -> dict[str, list[str | None]]:
    return {name: table.texts(name).tolist() for name in table.names}


# ------------------------------------------------------------------------------ reading CSV


@pytest.mark.parametrize(
    ("delimiter", "said"), [(",", "commas"), (";", '";"'), ("\t", "tabs"), ("|", '"|"')]
)
def test_delimiter_is_found_and_said(prices: Path, delimiter: str, said: str) -> None:
    table = reading(prices, f"size{delimiter}town\n31{delimiter}Ulm\n")
    assert cells(table) == {"size": ["31"], "town": ["Ulm"]}
    assert table.notes == (f"fields are separated by {said}",)


def test_delimiter_inside_quotes_does_not_count(prices: Path) -> None:
    table = reading(prices, '"a,b,c";d\n"1,2";x\n')
    assert cells(table) == {"a,b,c": ["1,2"], "d": ["x"]}


def test_delimiter_and_decimal_by_request(prices: Path) -> None:
    table = reading(prices, "a:b\n1,5:-,25\n", delimiter=":", decimal=",")
    assert table.numbers("a").tolist() == [1.5]
    assert table.numbers("b").tolist() == [-0.25]
    with pytest.raises(DataError, match="delimiter '::' cannot be used; give one character"):
        read(prices, delimiter="::")
    with pytest.raises(DataError, match="decimal='x' is not known"):
        read(prices, decimal="x")


def test_byte_order_mark_line_ends_gzip_and_quoted_lines(prices: Path) -> None:
    table = reading(prices, gzip.compress('\ufefftown;note\r\n"Łódź ";"two\nlines"\r\n'.encode()))
    assert cells(table) == {"town": ["Łódź"], "note": ["two\nlines"]}
    assert table.notes[1] == "column 'note': 1 cell has more than one line (first in row 2)"


def test_which_cells_were_read_as_missing_is_said(prices: Path) -> None:
    table = reading(prices, "a,b\n1,NA\n,x\n?,NA\n4,null\n", missing=["x"])
    assert cells(table) == {"a": ["1", None, None, "4"], "b": [None] * 4}
    assert table.notes[1] == (
        "6 cells read as missing ('NA' ×2, empty ×1, '?' ×1, 'x' ×1, 'null' ×1): a 2, b 4"
    )


def test_empty_rows_are_left_out_and_numbers_of_rows_stay(prices: Path) -> None:
    table = reading(prices, "a,b\n1,x\n\n,\n2,y\n\n")
    assert cells(table) == {"a": ["1", "2"], "b": ["x", "y"]}
    assert table.rows.tolist() == [2, 5]
    assert table.notes[1] == "3 empty rows left out"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "prices.csv is empty; a table has a header row and at least one row"),
        ("a,b", "prices.csv has a header but no rows; add the data under it"),
        ("a,b\n", "prices.csv has a header but no rows; add the data under it"),
        ("a,b\n,\n", "prices.csv has a header but only empty rows; add the data under it"),
        ("\na,b\n1,2\n", "prices.csv row 1 is empty; the first row must name the columns"),
        (
            "a,b,a\n1,2,3\n",
            "prices.csv names 2 columns 'a' in its header (columns 1 and 3); rename one of them",
        ),
        (
            ",b\n1,2\n",
            "prices.csv column 1 has no name in the header; name it (pandas writes its row "
            "numbers so: save with index=False)",
        ),
        (
            "5.1,3.5\n4.9,3.0\n",
            "prices.csv has only numbers in row 1 (5.1, 3.5, …); the first row must name the "
            "columns: add a header",
        ),
        (
            "a,b,c\n1,2,3\n\n4,5\n",
            "prices.csv row 4 has 2 fields; the header has 3: add what is missing, or an empty "
            "field",
        ),
        (
            "a,b\n1,2,3\n",
            'prices.csv row 2 has 3 fields; the header has 2: put quotes (") around a field that '
            "holds a ','",
        ),
        (
            'a,b,c\n1,"2,3\n4,5,6\n',
            'prices.csv row 2 has 2 fields; the header has 3: a quote (") in it is opened and '
            "not closed on the same line",
        ),
        (
            'a,b\n1,2\n3,"4\n5,6\n',
            "prices.csv row 3: a quote (\") in column 'b' is opened and not closed, so the rest "
            "of the file is one cell; close it",
        ),
        (
            '"a,b\n1,2\n',
            'prices.csv row 1 opens a quote (") and does not close it; mend the header',
        ),
        (
            "a,b\n1,é\n".encode("latin-1"),
            "prices.csv is not UTF-8: line 2 holds the byte 0xe9 (offset 6); save it again as "
            'UTF-8 (in a spreadsheet: "CSV UTF-8")',
        ),
        (
            "a,b\n1,é".encode()[:-1],
            "prices.csv ends in the middle of a character; it was cut short",
        ),
        (
            "a,b\n1,2\n".encode("utf-16-le"),
            "prices.csv holds a zero byte on line 1, so it is UTF-16 or no text at all; save it "
            'again as UTF-8 (in a spreadsheet: "CSV UTF-8")',
        ),
        (
            b"PK\x03\x04....",
            "prices.csv is an Excel workbook or another zip archive; export it as CSV (UTF-8)",
        ),
        (
            gzip.compress(b"a,b\n1,2\n", mtime=0)[:-5],
            "prices.csv is a damaged gzip file (Compressed file ended before the end-of-stream "
            "marker was reached)",
        ),
    ],
)
def test_refused_in_one_sentence(prices: Path, content: str | bytes, said: str) -> None:
    assert refusal(prices, content) == said


def test_undecodable_byte_is_placed_right_beyond_the_first_chunk(prices: Path) -> None:
    start = b"names,xyz\n" + "é,1\n".encode() * 400_000  # a chunk ends inside an é
    text = refusal(prices, start + b"\xff,1\n")
    assert f"line 400002 holds the byte 0xff (offset {len(start):,})" in text


def test_rows_beyond_the_first_block(prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalkgrad.data.tables.csv_file.BLOCK", 1 << 10)
    content = "a,b\n" + '1,"two\nlines"\n' * 5000
    assert cells(reading(prices, content)) == {"a": ["1"] * 5000, "b": ["two\nlines"] * 5000}
    assert "row 5002 has 1 field; the header has 2" in refusal(prices, content + "1\n")


def test_missing_file_says_what_is_there(prices: Path) -> None:
    prices.write_text("a\n1\n")
    with pytest.raises(
        DataError, match=r"no file .*price\.csv; .* \(in that folder: prices\.csv\)"
    ):
        read(prices.with_name("price.csv"))
    with pytest.raises(DataError, match=r"there is no folder .* either"):
        read(prices.parent / "nowhere" / "prices.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read(prices.parent)


words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;|\t\n'), max_size=8
)
grids = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.lists(words | st.sampled_from(MISSING), min_size=width, max_size=width),
        min_size=1,
        max_size=8,
    )
)


@settings(max_examples=300, deadline=None)
@given(grids, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_table_of_text_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    grid: list[list[str]],
    delimiter: str,
    line_end: str,
    quoted: bool,
) -> None:
    header = [f"c{place}" for place in range(len(grid[0]))]
    grid.append(["end"] * len(header))  # a table with at least one row that is not empty
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(
        [header, *grid]
    )
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    table = reading(path, text.getvalue())
    kept = [row for row in grid if any(row)]
    expected = [[_trimmed(cell) for cell in row] for row in kept]
    assert [list(row) for row in zip(*cells(table).values(), strict=True)] == expected
    places = [place for place, row in enumerate([header, *grid], 1) if any(row)][1:]
    assert table.rows.tolist() == places


def _trimmed(cell: str) -> str | None:
    compute = pytest.importorskip("pyarrow.compute")
    trimmed: str = compute.utf8_trim_whitespace(arrow.scalar(cell)).as_py()
    return None if trimmed in MISSING else trimmed


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='ab1",;\n\r.', max_size=60).map(str.encode))
def test_no_file_escapes_as_another_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    with contextlib.suppress(DataError):
        assert len(reading(path, content)) > 0


# --------------------------------------------------------------------------------- Parquet


def test_parquet_by_its_content_whatever_its_name(prices: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "whole": [1, None, 3],
        "share": [0.1, float("nan"), 1e22],
        "member": [True, None, False],
        "town": arrow.array(["Ulm", "Pau", "Ulm"]).dictionary_encode(),
        "tags": [["a"], [], ["b", "c"]],
    }
    parquet.write_table(arrow.table(columns), prices)
    table = read(prices)
    assert table.numbers("whole").tolist() == pytest.approx([1, np.nan, 3], nan_ok=True)
    assert table.numbers("share").tolist() == pytest.approx([0.1, np.nan, 1e22], nan_ok=True)
    assert table.texts("member").tolist() == ["true", None, "false"]
    assert table.texts("town").tolist() == ["Ulm", "Pau", "Ulm"]
    assert table.rows.tolist() == [1, 2, 3]
    kind = parquet.read_schema(prices).field("tags").type
    assert table.notes[0] == f"column 'tags' holds {kind}, not flat values: read as missing"


def test_damaged_and_ill_named_parquet(prices: Path) -> None:
    assert "is a Parquet file that cannot be read" in refusal(prices, b"PAR1 and no more")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table([[1], [2]], names=["a", "a"]), prices)
    with pytest.raises(DataError, match="names 2 columns 'a' in its schema"):
        read(prices)
    parquet.write_table(arrow.table({"a": arrow.array([], arrow.int64())}), prices)
    with pytest.raises(DataError, match="has columns but no rows"):
        read(prices)


@given(st.lists(st.floats() | st.none(), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_numbers_pass_through_text_unchanged(values: list[float | None]) -> None:
    wanted = np.array([np.nan if value is None else value for value in values])
    table = from_columns({"x": arrow.array(values, arrow.float64())})
    if np.isinf(wanted).any():
        with pytest.raises(DataError, match=r"holds '-?inf', which is not a number"):
            table.numbers("x")
    else:
        assert np.array_equal(table.numbers("x"), wanted, equal_nan=True)


# ----------------------------------------------------------------------------------- kinds


def kind_of(values: list[Any], name: str = "column", **options: Any) -> tuple[str, str]:
    goal = (TWO_CLASSES * len(values))[: len(values)]
    columns = {name: values, "other": np.arange(len(values)) % 7 + 0.5, "y": goal}
    schema = infer(from_columns(columns, "houses.csv"), "y", **options)
    return schema.columns[0].kind, schema.columns[0].reason


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (
            [*range(12)] * 10,
            "number",
            "12 distinct of 120 values, all whole numbers 0 to 11; --category column treats them "
            "as categories",
        ),
        ([1.5, "-2", "+3e1", None] * 5, "number", "3 distinct of 15 values, -2 to 30"),
        (["yes", "No", "YES", None] * 5, "boolean", "only No and YES"),
        (["1.0", "0", None, "1"] * 5, "boolean", "only 0 and 1"),
        (["red", "blue", "blue"] * 5, "category", "2 distinct of 15 values, not numbers"),
        ([*"1234"] * 5 + ["5+"], "category", "5 distinct of 21 values, not all numbers"),
        (["M", "F"] * 5, "category", "2 distinct of 10 values, not numbers"),
        (
            ["007", "012"] * 5,
            "category",
            "2 distinct of 10 values with leading zeros: codes, not amounts; --number column "
            "reads them as amounts",
        ),
        (
            [f"{place:05}" for place in range(60)],
            "identifier",
            "60 distinct of 60 values with leading zeros: codes, not amounts; too many to one-hot "
            "(limit 50)",
        ),
        (
            [*range(1, 31)],
            "identifier",
            "the whole numbers 1 to 30, once each; --number column keeps it",
        ),
        (
            [f"u-{place}" for place in range(30)],
            "identifier",
            "30 values, such as 'u-0', once each",
        ),
        ([None] * 12, "constant", "every cell is missing"),
        (
            ["red", None] * 6,
            "constant",
            "every value is 'red' or missing (6 cells): nothing to learn from",
        ),
        ([3, "3.0"] * 6, "constant", "every value is '3': nothing to learn from"),
        (
            ["2024-01-31", "2024-02-01 10:30"] * 6,
            "date",
            "dates or times, such as '2024-01-31'; put what matters of them, such as a year or an "
            "age, into a column of numbers",
        ),
        (["31.12.2024", "1.1.24"] * 6, "date", None),
        (
            [f"flat {place % 60}" for place in range(90)],
            "text",
            "60 distinct of 90 values, such as 'flat 0': too many to one-hot (limit 50); "
            "--category column does it all the same",
        ),
    ],
)
def test_kind_and_reason(values: list[Any], kind: str, reason: str | None) -> None:
    if all(not isinstance(value, str) for value in values):
        judged = kind_of(values)
    else:
        judged = kind_of([None if value is None else str(value) for value in values])
    assert judged[0] == kind
    assert reason is None or judged[1] == reason


@pytest.mark.parametrize(
    ("name", "dropped"),
    [("customer_id", True), ("customerId", True), ("ID", True), ("paid", False), ("humid", False)],
)
def test_an_identifier_by_its_name(name: str, dropped: bool) -> None:
    values = [place * 37 + 5 for place in range(30)]
    assert kind_of(values, name)[0] == ("identifier" if dropped else "number")


def test_whole_numbers_once_each_are_not_all_identifiers() -> None:
    assert kind_of([*range(1990, 2020)], "year")[0] == "number"


def test_overrides() -> None:
    assert kind_of([1, 2, 3] * 5, category=["column"]) == (
        "category",
        "category by request, 3 distinct values",
    )
    assert kind_of(["007", "008"] * 5, number=["column"]) == ("number", "number by request")
    assert kind_of([1, 2] * 5, drop=["column"]) == ("dropped", "dropped by request")


def test_overrides_that_cannot_be() -> None:
    table = from_columns({"size": ["1", "x", "2"], "y": [*"aba"]}, "houses.csv")
    for options, said in [
        ({"drop": ["sise"]}, r"--drop: houses.csv has no column 'sise'\. Did you mean size\?"),
        ({"drop": ["y"]}, "--drop: 'y' is the target; --task classification or"),
        ({"drop": ["size"], "number": ["size"]}, "'size' is in --number and in --drop; choose one"),
        ({"number": ["size"]}, "row 2: column 'size' holds 'x', which is not a number; correct"),
        ({"drop": "size"}, r"drop='size' is one name; give a list: drop=\['size'\]"),
        ({"task": "ranking"}, "task 'ranking' is not known; it is classification or regression"),
        ({"drop": ["size"]}, r"has no column to predict 'y' from: size \(dropped\)"),
    ]:
        with pytest.raises(DataError, match=said):
            infer(table, "y", **options)  # type: ignore[arg-type]
    many = from_columns({"x": [f"v{place}" for place in range(1200)], "y": [*"ab"] * 600})
    with pytest.raises(
        DataError, match="has 1,200 distinct values, and each would become a column"
    ):
        infer(many, "y", category=["x"])


def test_numbers_with_a_few_mistakes_are_refused_with_the_first() -> None:
    values = [*map(str, range(2, 60)), "12 m2", "n.a."]
    with pytest.raises(DataError, match="column") as caught:
        kind_of(values)
    assert str(caught.value) == (
        "houses.csv: column 'column' has 58 numbers and 2 other values, the first in row 59: "
        "'12 m2'; correct or empty those cells, or say --category column or --drop column"
    )


def test_decimal_commas_are_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match="has decimal commas") as caught:
        kind_of(["1,5", "2", "3,25"] * 4)
    assert str(caught.value) == (
        "houses.csv: column 'column' has decimal commas (row 1: '1,5'); read the file with "
        "--decimal , or say --category column or --drop column"
    )


def test_missing_target_names_the_nearest() -> None:
    with pytest.raises(
        DataError, match=r"^iris.csv has no column 'specie'\. Did you mean species\?$"
    ):
        infer(read(EXAMPLES / "iris.csv"), "specie")


# ------------------------------------------------------------------------------ the target


def target_of(values: list[Any], task: str | None = None) -> Any:
    columns = {"x": np.arange(len(values)) % 9 + 0.5, "y": values}
    return infer(from_columns(columns, "houses.csv"), "y", task=task).target


@pytest.mark.parametrize(
    ("values", "task", "reason"),
    [
        (["b", "a"] * 6, "classification", "2 distinct labels, not numbers"),
        (
            [3, 10, 2] * 8,
            "classification",
            "3 distinct numbers in 24 rows, 2 to 10: few enough for classes; --task regression "
            "predicts amounts",
        ),
        (
            [*range(12)] * 2,
            "regression",
            "12 distinct numbers in 24 rows, 0 to 11; --task classification predicts each as a "
            "class",
        ),
        ([0.5, 1.5, 2.5] * 8, "regression", "3 distinct numbers in 24 rows, 0.5 to 2.5"),
        ([-1, 1] * 3, "classification", None),
    ],
)
def test_task_and_reason(values: list[Any], task: str, reason: str | None) -> None:
    target = target_of(values)
    assert target.task == task
    assert reason is None or target.reason == reason


def test_task_by_request() -> None:
    assert target_of([3, 10, 2] * 8, "regression").task == "regression"
    chosen = target_of([*range(12)] * 2, "classification")
    assert chosen.classes == tuple(map(str, range(12))), "2 comes before 10"
    with pytest.raises(DataError, match="row 1: column 'y' holds 'a', which is not a number"):
        target_of(["a", "b"] * 5, "regression")


def test_targets_that_cannot_be() -> None:
    with pytest.raises(DataError, match="the target 'y' is 'a' in every row; there is nothing"):
        target_of(["a"] * 5)
    with pytest.raises(DataError, match="has 20 distinct labels in 20 rows, such as 'n0'; choose"):
        target_of([f"n{place}" for place in range(20)])
    with pytest.raises(DataError, match="has 30 numbers and 1 other value, the first in row 31"):
        target_of([*map(str, range(30)), "x"])
    with pytest.raises(DataError, match="the target 'y' is missing in every row"):
        target_of([None] * 4)


def test_rows_without_a_target_are_left_out_and_said() -> None:
    table = from_columns({"x": [1, 2, 3, 4], "y": ["a", None, "b", "a"]})
    schema = infer(table, "y")
    assert schema.notes[-1] == "1 row without a target ('y') left out"
    rows, notes = labelled(table, "y")
    assert notes == schema.notes[-1:]
    assert rows.rows.tolist() == [1, 3, 4]
    assert schema.target.encode(rows).tolist() == [0, 1, 0]
    assert schema.columns[0].distinct == 3, "only rows with a target count"
    with pytest.raises(DataError, match="row 2: the target 'y' is missing; fill it in"):
        schema.target.encode(table)


def test_classes_are_one_whether_written_1_or_1_dot_0() -> None:
    target = target_of(["1", "2"] * 6)
    assert target.encode(from_columns({"y": ["2.0", "1.0"]})).tolist() == [1, 0]
    with pytest.raises(DataError, match="row 1: the target 'y' is '3'; the classes are 1, 2"):
        target.encode(from_columns({"y": ["3"]}))


def test_target_scaler() -> None:
    y = np.array([100_000.0, 200_000.0, 600_000.0])
    scaler = TargetScaler.fit(y)
    scaled = scaler.transform(y)
    assert scaled.dtype == np.float32
    assert scaled.mean() == pytest.approx(0, abs=1e-6)
    assert scaled.std() == pytest.approx(1, abs=1e-6)
    assert TargetScaler(**json.loads(json.dumps(scaler.to_dict()))) == scaler
    assert scaler.inverse(scaled) == pytest.approx(y, rel=1e-6)
    assert TargetScaler.fit(np.array([5.0, 5.0])).transform(np.array([5.0])).tolist() == [0.0]


# ------------------------------------------------------------------------------ the schema


def test_schema_of_the_examples() -> None:
    patients = infer(read(EXAMPLES / "diabetes.csv"), "progression")
    assert {column.name: column.kind for column in patients.columns if column.kind != "number"} == {
        "patient": "identifier",
        "sex": "category",
        "pressure": "category",
    }
    assert patients.target.task == "regression"
    assert patients.notes == (
        "fields are separated by commas",
        "45 cells read as missing (empty ×45): bmi 12, pressure 9, hdl 21, progression 3",
        "3 rows without a target ('progression') left out",
    )
    flowers = infer(read(EXAMPLES / "iris.csv"), "species")
    assert flowers.target.classes == ("setosa", "versicolor", "virginica")
    assert flowers.rows()[-1] == (
        "species",
        "classification",
        "target",
        "",
        "3 distinct labels, not numbers",
    )


def test_schema_comes_back_from_json() -> None:
    schema = infer(read(EXAMPLES / "diabetes.csv"), "progression")
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "not a schema of format 1"),
        ({"target": {"name": "y"}}, r"damaged \('classes'\)"),
        ({"columns": [{"name": "x"}]}, "damaged"),
        (
            {"columns": [{"name": "x", "kind": "odd", "reason": "", "distinct": 1, "missing": 0}]},
            "unknown: odd",
        ),
    ],
)
def test_damaged_schema(change: dict[str, Any], said: str) -> None:
    saved = infer(read(EXAMPLES / "iris.csv"), "species").to_dict()
    with pytest.raises(DataError, match=said):
        Schema.from_dict(saved | change)
    with pytest.raises(DataError, match="not a schema"):
        Schema.from_dict([])


# --------------------------------------------------------------------------- preprocessing


HOUSES = {
    "size": [10, 20, None, 40, 30, 20, 30, 10],
    "garden": ["yes", "no", "yes", None, "yes", "no", "yes", "no"],
    "town": ["Ulm", "Pau", "Ulm", None, "Pau", "Ulm", "Pau", "Ulm"],
    "price": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5],
}


@pytest.fixture
def fitted() -> Preprocessor:
    table = from_columns(HOUSES, "houses.csv")
    return Preprocessor.fit(table, infer(table, "price"))


def houses(**changes: list[Any]) -> Table:
    columns: dict[str, list[Any]] = {name: values[:2] for name, values in HOUSES.items()}
    return from_columns(columns | changes, "new.csv")


def test_what_the_network_is_given(fitted: Preprocessor) -> None:
    assert fitted.feature_names == ("size", "garden", "town=(missing)", "town=Pau", "town=Ulm")
    x, notes = fitted.transform(from_columns(HOUSES))
    assert x.dtype == np.float32
    size = np.array([10, 20, 20, 40, 30, 20, 30, 10])  # the gap holds the median of the other seven
    assert x[:, 0] == pytest.approx((size - size.mean()) / size.std(), abs=1e-6)
    assert x[:, 1].tolist() == [1, 0, 1, 1, 1, 0, 1, 0]
    assert x[:4, 2:].tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert notes == [
        "column 'size': 1 missing cell set to the training median 20",
        "column 'garden': 1 missing cell set to yes, the commoner in training",
        "column 'town': 1 missing cell kept as a category of their own",
    ]


def test_fitted_on_training_rows_only() -> None:
    table = from_columns(HOUSES)
    schema = infer(table, "price")
    few = Preprocessor.fit(table.take(np.array([0, 1, 4])), schema)
    assert few.feature_names == ("size", "garden", "town=Pau", "town=Ulm")
    assert few.transform(table.take(np.array([1])))[0][0, 0] == 0, "20 is the mean of 10, 20, 30"


def test_the_target_need_not_be_there(fitted: Preprocessor) -> None:
    table = houses()
    without = Table(
        "new.csv", {name: table.cells(name) for name in ("town", "garden", "size")}, table.rows
    )
    assert np.array_equal(fitted.transform(without)[0], fitted.transform(table)[0])
    assert fitted.transform(without)[1] == []


def test_unknown_category_is_said_and_encoded_as_zeros(fitted: Preprocessor) -> None:
    x, notes = fitted.transform(houses(town=["Köln", "ulm"]))
    assert x[:, 2:].tolist() == [[0, 0, 0]] * 2
    assert notes == [
        "column 'town': 2 rows with what training did not see ('Köln' ×1, 'ulm' ×1), encoded as "
        "zeros"
    ]


def test_gap_that_training_did_not_see_is_said() -> None:
    table = from_columns({"town": ["Ulm", "Pau"] * 4, "y": [*"ab"] * 4})
    fitted = Preprocessor.fit(table, infer(table, "y"))
    x, notes = fitted.transform(from_columns({"town": [None, "Ulm"]}))
    assert x.tolist() == [[0, 0], [0, 1]]
    assert notes == [
        "column 'town': 1 row with what training did not see ('(missing)' ×1), encoded as zeros"
    ]


def test_more_columns_are_ignored_and_said(fitted: Preprocessor) -> None:
    assert fitted.transform(houses(colour=["red", "red"]))[1] == [
        "ignored 1 column that training did not have: colour"
    ]


def test_missing_columns_name_the_nearest(fitted: Preprocessor) -> None:
    with pytest.raises(DataError, match=r"new\.csv") as caught:
        fitted.transform(from_columns({"Size": [1], "town": ["Ulm"]}, "new.csv"))
    assert str(caught.value) == (
        "new.csv has no column 'size' (and 1 more), which the model was trained with. "
        "Did you mean Size?"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"size": ["10", "big"]},
            "new.csv row 2: column 'size' holds 'big', which is not a number; correct the cell or "
            "empty it",
        ),
        (
            {"size": ["10", "1e999"]},
            "new.csv row 2: column 'size' holds '1e999', which is too large for a number; correct "
            "the cell or empty it",
        ),
        (
            {"garden": ["maybe", "no"]},
            "new.csv row 1: column 'garden' holds 'maybe', which is not yes or no, true or false, "
            "1 or 0; correct the cell or empty it",
        ),
        (
            {"size": ["10", "1e300"]},
            "new.csv row 2: column 'size' is too large for a float32 after scaling; correct the "
            "cell",
        ),
    ],
)
def test_wrong_kind_names_row_and_value(
    fitted: Preprocessor, changes: dict[str, list[Any]], said: str
) -> None:
    with pytest.raises(DataError, match=r"new\.csv") as caught:
        fitted.transform(houses(**changes))
    assert str(caught.value) == said


def test_a_training_part_without_a_single_number() -> None:
    table = from_columns({"x": [None, None, 3, 4], "z": [1, 2, 3, 4], "y": [*"abab"]})
    fitted = Preprocessor.fit(table.take(np.array([0, 1])), infer(table, "y"))
    assert fitted.feature_names == ("x", "z")
    assert fitted.transform(table.take(np.array([0, 1])))[0][:, 0].tolist() == [0, 0]


def test_saved_and_loaded_it_does_the_same(fitted: Preprocessor, tmp_path: Path) -> None:
    path = tmp_path / "preprocessor.skops"
    fitted.save(path)
    fitted.save(path)  # over itself
    assert [each.name for each in tmp_path.iterdir()] == ["preprocessor.skops"]
    loaded = Preprocessor.load(path)
    assert loaded.schema == fitted.schema
    assert repr(loaded) == "Preprocessor(3 columns → 5 features)"
    mixed = houses(town=["Köln", "Ulm"], size=[None, 7])
    for ours, theirs in zip(loaded.transform(mixed), fitted.transform(mixed), strict=True):
        assert np.array_equal(ours, theirs)
    with zipfile.ZipFile(path) as archive:
        assert not any(name.endswith((".pkl", ".pickle")) for name in archive.namelist())


def test_a_foreign_or_dangerous_file_is_not_loaded(fitted: Preprocessor, tmp_path: Path) -> None:
    path = tmp_path / "preprocessor.skops"
    with pytest.raises(DataError, match="cannot be read"):
        Preprocessor.load(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(DataError, match=r"preprocessor\.skops is not a saved preprocessor"):
        Preprocessor.load(path)
    from sklearn.preprocessing import FunctionTransformer

    skops.dump(FunctionTransformer(func=subprocess.getoutput), path)
    with pytest.raises(
        DataError, match=r"types that chalkgrad never saves .*getoutput.*not loaded"
    ):
        Preprocessor.load(path)
    skops.dump({"format": 1, "schema": fitted.schema.to_dict(), "pipelines": {}}, path)
    with pytest.raises(DataError, match="does not fit its own schema"):
        Preprocessor.load(path)
    skops.dump([1, 2], path)
    with pytest.raises(DataError, match="is not a preprocessor of format 1"):
        Preprocessor.load(path)


def test_codes_survive_from_training_to_prediction(prices: Path) -> None:
    table = reading(prices, "zip,y\n" + "01067,a\n89073,b\n" * 6)
    fitted = Preprocessor.fit(table, infer(table, "y"))
    assert fitted.feature_names == ("zip=01067", "zip=89073")
    assert fitted.transform(reading(prices, "zip\n01067\n"))[0].tolist() == [[1, 0]]


# ------------------------------------------------------------------------------ the whole


@pytest.mark.parametrize(
    ("file", "goal", "width"), [("iris.csv", "species", 4), ("diabetes.csv", "progression", 14)]
)
def test_from_a_file_to_numbers(file: str, goal: str, width: int) -> None:
    table = read(EXAMPLES / file)
    schema = infer(table, goal)
    rows, _ = labelled(table, goal)
    y = schema.target.encode(rows)
    classes = y if schema.target.task == "classification" else None
    parts = split(len(rows), classes=classes, names=schema.target.classes, seed=1)
    fitted = Preprocessor.fit(rows.take(parts.train), schema)
    x, _ = fitted.transform(rows)
    assert x.shape == (len(rows), width) == (len(y), len(fitted.feature_names))
    assert np.isfinite(x).all()
    numbers = [place for place, name in enumerate(fitted.feature_names) if "=" not in name]
    assert x[parts.train][:, numbers].mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert x[parts.train][:, numbers].std(axis=0) == pytest.approx(1, abs=1e-5)


def test_the_examples_are_what_their_program_writes(tmp_path: Path) -> None:
    program = (EXAMPLES / "make_tables.py").read_text(encoding="utf-8")
    (tmp_path / "make_tables.py").write_text(program, encoding="utf-8")
    subprocess.run([sys.executable, tmp_path / "make_tables.py"], check=True)
    for name in ("iris.csv", "diabetes.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_frames_of_other_libraries_come_in_through_arrow() -> None:
    table = from_arrow(arrow.table({"age": [31, None], "town": ["Ulm", "NA"]}), "frame")
    assert cells(table) == {"age": ["31", None], "town": ["Ulm", None]}
    assert repr(table) == "Table(frame: 2 rows × 2 columns)"


def test_an_absent_package_names_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    with pytest.raises(MissingExtra, match=r'pip install "chalkgrad\[tables\]"') as caught:
        extras.extra("pyarrow.csv")
    assert str(caught.value).startswith(
        "tables need the package pyarrow, which cannot be imported ("
    )


def test_importing_the_room_imports_no_optional_package() -> None:
    program = (
        "import sys, chalkgrad.data.tables, chalkgrad.data.sets, chalkgrad.data.idx;"
        "print([name for name in ('pyarrow', 'sklearn', 'skops', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
