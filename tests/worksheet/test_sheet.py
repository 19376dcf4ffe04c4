"""Worksheets at the door: what is read, and every refusal by its text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import DataError, WorksheetError
from chalkgrad.formulas import Call, Name, Number
from chalkgrad.worksheet import Worksheet

XOR = """
title = "A 2-2-1 network learns XOR"
source = "lecture, page 3"

[parameters]
w1 = 0.3
w2 = 0.5
b1 = 0.1
w3 = 0.2
w4 = 0.4
b2 = 0.6

[[layer]]
units = ["h1", "h2"]
weights = [["w1", "w2"],
           ["w2", "w2"]]
bias = ["b1", "b1"]
activation = "sigmoid"

[[layer]]
units = ["o"]
weights = [["w3", "w4"]]
bias = ["b2"]
activation = "sigmoid"

[data]
inputs  = { x1 = 1.0, x2 = 0.0 }
targets = { o = 1.0 }

[loss]
kind = "half_squared_error"
over_records = "sum"

[update]
rule = "sgd"
learning_rate = 0.1
steps = 1
frozen = []

[names]
weighted_sum = "sum_{unit}"
activation   = "output_{unit}"
loss         = "E_total"
loss_term    = "E_{n}"
"""

FORMULAS = """
[expression]
J = "3 * v"
u = "y * z"
v = "x + u"

[values]
x = 4
y = 3
z = 2
"""


def read(text: str) -> Worksheet:
    return Worksheet.from_text(text, name="xor.toml")


def test_the_example_of_the_format() -> None:
    sheet = read(XOR)
    assert (sheet.file, sheet.title, sheet.source) == (
        "xor.toml", "A 2-2-1 network learns XOR", "lecture, page 3",
    )  # fmt: skip
    assert sheet.parameters == {
        "w1": 0.3, "w2": 0.5, "b1": 0.1, "w3": 0.2, "w4": 0.4, "b2": 0.6,
    }  # fmt: skip
    hidden, output = sheet.layers
    assert hidden.units == ("h1", "h2")
    assert hidden.weights == (("w1", "w2"), ("w2", "w2"))
    assert hidden.bias == ("b1", "b1")
    assert (hidden.activation, output.activation) == ("sigmoid", "sigmoid")
    assert sheet.data is not None
    assert sheet.data.inputs == {"x1": (1.0,), "x2": (0.0,)}
    assert sheet.data.targets == {"o": (1.0,)}
    assert sheet.data.records == 1
    assert sheet.loss is not None
    assert (sheet.loss.kind, sheet.loss.over_records) == ("half_squared_error", "sum")
    assert sheet.update is not None
    assert (sheet.update.rule, dict(sheet.update.settings)) == ("SGD", {"lr": 0.1})
    assert sheet.names.sums == (("sum_h1", "sum_h2"), ("sum_o",))
    assert sheet.names.activations == (("output_h1", "output_h2"), ("output_o",))
    assert sheet.names.targets == ("target_o",)
    assert sheet.names.loss == "E_total"
    assert sheet.names.aliases == {"E_1": "E_total"}  # one term: it is the loss
    assert sheet.notes == ()


def test_formulas_in_any_order() -> None:
    sheet = read(FORMULAS)
    assert list(sheet.formulas) == ["u", "v", "J"]
    assert sheet.formulas["v"] == Call("add", (Name("x"), Name("u")))
    assert sheet.names.loss == "J"
    assert sheet.parameters == {"x": 4.0, "y": 3.0, "z": 2.0}


def test_a_formula_may_spell_names_in_its_way() -> None:
    sheet = read('[expression]\nJ = "w_5 * δ_o + w_{1}"\n[values]\nw5 = 2\ndelta_o = 3\n"w₁" = 1\n')
    assert sheet.formulas["J"] == Call(
        "add", (Call("multiply", (Name("w5"), Name("delta_o"))), Name("w₁"))
    )


def test_of_several_last_lines_the_one_that_is_written_last_is_the_loss() -> None:
    text = '[expression]\na = "x"\nb = "2*x"\n[values]\nx = 1\n'
    assert read(text).names.loss == "b"
    assert read(f'{text}[names]\nloss = "a"\n').names.loss == "a"


def test_a_line_may_be_a_number() -> None:
    sheet = read('[expression]\nc = 2\nJ = "c * x"\n[values]\nx = 1\n')
    assert sheet.formulas["c"] == Number(2.0)


def test_defaults() -> None:
    text = XOR.partition("[update]")[0].replace('over_records = "sum"', "")
    sheet = read(text)
    assert sheet.update is None
    assert sheet.names.sums[0] == ("z_h1", "z_h2")
    assert sheet.names.activations[1] == ("a_o",)
    assert sheet.names.loss == "L"
    assert sheet.loss is not None
    assert sheet.loss.over_records == "sum"


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("half_squared_error", "sum"),
        ("squared_error", "sum"),
        ("mean_squared_error", "mean"),
        ("binary_cross_entropy", "mean"),
        ("cross_entropy", "mean"),
    ],
)
def test_over_records_by_default(kind: str, default: str) -> None:
    text = changed(XOR, 'kind = "half_squared_error"\nover_records = "sum"', f'kind = "{kind}"')
    if kind == "cross_entropy":
        text = changed(text, 'bias = ["b2"]\nactivation = "sigmoid"', 'activation = "softmax"')
        text = text.replace("b2 = 0.6\n", "")
    sheet = read(text)
    assert sheet.loss is not None
    assert sheet.loss.over_records == default


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def test_a_name_or_a_number_for_all_units() -> None:
    sheet = read(changed(XOR, 'bias = ["b1", "b1"]', 'bias = "b1"'))
    assert sheet.layers[0].bias == ("b1", "b1")
    sheet = read(changed(XOR, 'bias = ["b2"]', "bias = 0.5"))
    assert sheet.layers[1].bias == (0.5,)
    assert sheet.notes == ("xor.toml, line 11: b2 is used nowhere",)


def test_an_identity_layer_has_one_name_and_an_alias() -> None:
    text = changed(XOR, 'bias = ["b2"]\nactivation = "sigmoid"', 'bias = ["b2"]')
    sheet = read(text)
    assert sheet.names.sums[1] == sheet.names.activations[1] == ("output_o",)
    assert sheet.names.aliases == {"sum_o": "output_o", "E_1": "E_total"}


def test_a_layers_own_names_and_places_in_patterns() -> None:
    names = 'names = { weighted_sum = "Z{layer}_{unit}", activation = "A{n}" }'
    text = changed(XOR, 'bias = ["b1", "b1"]', f'bias = ["b1", "b1"]\n{names}')
    sheet = read(text)
    assert sheet.names.sums == (("Z1_h1", "Z1_h2"), ("sum_o",))
    assert sheet.names.activations[0] == ("A1", "A2")


def test_a_pattern_without_places_serves_one_unit() -> None:
    sheet = read(changed(XOR, "[names]", '[names]\ntarget = "y"\ndelta = "negative"'))
    assert sheet.names.targets == ("y",)
    assert sheet.names.delta == "negative"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # Parameters and layers.
        (
            '[["w3", "w4"]]',
            '[["w3", "w44"]]',
            "xor.toml, line 22: a weight of o, w44, has no value: "
            "write it under [parameters]. Did you mean w4",
        ),
        (
            '[["w3", "w4"]]',
            '[["w3", true]]',
            "a weight of o must be a parameter's name or a number, not True",
        ),
        ('bias = ["b2"]', 'bias = ["b9"]', "xor.toml, line 23: the bias of o, b9, has no value"),
        (
            '["w2", "w2"]]',
            '["w2"]]',
            "xor.toml, line 15: the row of h2 has 1 weights; it needs 2, one for each of x1, x2",
        ),
        (
            '[["w3", "w4"]]',
            '[["w3", "w4", "w1"]]',
            "line 22: the row of o has 3 weights; it needs 2, one for each of h1, h2",
        ),
        (
            '[["w3", "w4"]]',
            '["w3", "w4"]',
            "line 22: layer 2 has 2 rows of weights for 1 units (o)",
        ),
        ('[["w3", "w4"]]', '["w3"]', "the weights of o must be a list in [ ], not 'w3'"),
        (
            'bias = ["b1", "b1"]',
            'bias = ["b1"]',
            "line 17: bias has 1 entries for 2 units (h1, h2)",
        ),
        (
            'units = ["h1", "h2"]',
            'units = ["h1", "h1"]',
            "line 14: layer 1 has two units called h1",
        ),
        ('units = ["h1", "h2"]', 'units = ["h 1", "h2"]', "the unit 'h 1' needs a name in quotes"),
        ('units = ["o"]', "units = [1]", "line 21: layer 2 needs its units' names in quotes"),
        ('units = ["o"]', "units = []", "line 21: layer 2 needs its units' names in quotes"),
        ('units = ["o"]', "", "line 20: layer 2 needs units = [ … ]"),
        (
            '"b1"]\nactivation = "sigmoid"',
            '"b1"]\nactivation = "sigmod"',
            "line 18: activation = 'sigmod' is not known here. Did you mean sigmoid",
        ),
        (
            '"b1"]\nactivation = "sigmoid"',
            '"b1"]\nactivation = 3',
            "line 18: activation must be text in quotes, not 3",
        ),
        (
            'bias = ["b1", "b1"]',
            'biases = ["b1", "b1"]',
            "line 17: layer 1 has no setting biases. Did you mean bias",
        ),
        ("w1 = 0.3", "w1 = nan", "line 6: w1 must be a finite number, not nan"),
        ("w1 = 0.3", "w1 = inf", "line 6: w1 must be a finite number, not inf"),
        ("w1 = 0.3", f"w1 = 1{'0' * 400}", "line 6: w1 must be a finite number, not 10000"),
        ("w1 = 0.3", "w1 = '0.3'", "line 6: w1 must be a number, not '0.3'"),
        ("w1 = 0.3", "w1 = true", "line 6: w1 must be a number, not True"),
        ("w1 = 0.3", '"w 1" = 0.3', "line 6: parameter 'w 1' is no name: a letter, then letters"),
        ("w1 = 0.3", '"w1[2]" = 0.3', "line 6: parameter 'w1[2]' is no name"),
        ("w1 = 0.3", "exp = 0.3", "line 6: parameter exp is the name of a function; rename it"),
        # Data.
        (
            "targets = { o = 1.0 }",
            "targets = { o = 1.0, p = 2.0 }",
            "line 28: there is a target for "
            "p, which is not an output: the last layer's units are o.",
        ),
        (
            "targets = { o = 1.0 }",
            "targets = { h1 = 1.0 }",
            "a target for h1, which is not an output",
        ),
        ("targets = { o = 1.0 }", "targets = {}", "line 28: the output o has no target; add o = …"),
        ("targets = { o = 1.0 }", "", "the output o has no target"),
        ("targets = { o = 1.0 }", "targets = 1", "line 28: targets must be a table"),
        ("inputs  = { x1 = 1.0, x2 = 0.0 }", "", "line 26: [data] needs inputs = { x1 = … }"),
        (
            "x2 = 0.0 }",
            "x2 = [0.0, 1.0] }",
            "line 27: x2 has 2 records, x1 has 1 record; give every",
        ),
        (
            "targets = { o = 1.0 }",
            "targets = { o = [1.0, 0.0] }",
            "line 28: o has 2 records, x1 has 1 record",
        ),
        ("x2 = 0.0 }", "x2 = [] }", "line 27: x2 has no records"),
        ("x2 = 0.0 }", "x2 = [[0.0]] }", "line 27: x2 must be a number, not [0.0]"),
        ("x2 = 0.0 }", '"x 2" = 0.0 }', "line 27: input 'x 2' is no name"),
        (
            "targets = {",
            "target = {",
            "line 28: [data] has no setting target. Did you mean targets",
        ),
        # Names.
        ("x2 = 0.0 }", "w3 = 0.0 }", "w3 is a parameter and an input; rename one of them"),
        ("x2 = 0.0 }", "sum_h1 = 0.0 }", "sum_h1 is an input and the weighted sum of h1"),
        (
            "x2 = 0.0 }",
            "w_3 = 0.0 }",
            "line 27: w3 (a parameter) and w_3 (an input) are two spellings of one name",
        ),
        ("b2 = 0.6", "b2 = 0.6\nE_total = 1.0", "E_total is a parameter and the loss"),
        (
            '"output_{unit}"',
            '"sum_{unit}"',
            "sum_h1 is the weighted sum of h1 and the activation of",
        ),
        ('"output_{unit}"', '"output"', "activation = 'output' gives h1, h2 one name; add {unit}"),
        (
            '"output_{unit}"',
            '"output_{unt}"',
            "= 'output_{unt}' has {unt}; it may have {unit}, {n}",
        ),
        (
            '"output_{unit}"',
            '"{unit.__class__}"',
            "activation = '{unit.__class__}' gives h1, h2 one name",
        ),
        ('"E_{n}"', '"{unit.__class__}"', "loss_term '{unit.__class__}' is no name"),
        ('"output_{unit}"', '"{unit}²"', "activation 'h1²' is no name"),
        ('units = ["o"]', 'units = ["h1"]', "there is a target for o, which is not an output"),
        ('loss         = "E_total"', 'loss = "E total"', "line 43: loss 'E total' is no name"),
        ("loss_term    =", "lossterm =", "[names] has no setting lossterm. Did you mean loss_term"),
        (
            "[names]",
            '[names]\ndelta = "minus"',
            "delta = 'minus' is not known here. It is one of positive, negative",
        ),
        # Loss.
        (
            '"half_squared_error"',
            '"half_square_error"',
            "line 31: kind = 'half_square_error' is not "
            "known here. Did you mean half_squared_error",
        ),
        (
            'over_records = "sum"',
            'over_records = "total"',
            "line 32: over_records = 'total' is not known here. It is one of sum, mean",
        ),
        (
            '"half_squared_error"',
            '"cross_entropy"',
            "line 31: cross_entropy takes the outputs of a softmax, or of identity",
        ),
        ('kind = "half_squared_error"', "", 'line 30: [loss] needs kind = "…"'),
        # Update.
        (
            'rule = "sgd"',
            'rule = "sdg"',
            "line 35: rule = 'sdg' is no optimizer known here. Did you",
        ),
        ('rule = "sgd"', 'rule = "lbfgs"', "line 35: rule = 'lbfgs' is no optimizer known here."),
        (
            "learning_rate = 0.1",
            "learningrate = 0.1",
            "line 36: [update] has no setting learningrate. Did you mean learning_rate",
        ),
        (
            "learning_rate = 0.1",
            "learning_rate = 0.1\nlr = 0.1",
            "line 37: [update] has both lr and",
        ),
        ("learning_rate = 0.1", "learning_rate = -1", "SGD refuses its settings: Invalid learning"),
        ("learning_rate = 0.1", "betas = [0.9, 0.99]", "line 36: [update] has no setting betas."),
        ('"sgd"\nlearning_rate = 0.1', '"adam"\nbetas = 0.9', "betas must be 2 numbers in [ ]"),
        ("learning_rate = 0.1", "nesterov = 1", "line 36: nesterov must be true or false, not 1"),
        ("learning_rate = 0.1", "nesterov = true", "SGD refuses its settings: Nesterov momentum"),
        ("steps = 1", "steps = 1.5", "line 37: steps must be a whole number up to 1000000"),
        ("steps = 1", "steps = -1", "line 37: steps must be a whole number"),
        ("frozen = []", 'frozen = ["w9"]', "line 38: frozen has 'w9', which is no parameter. Did"),
        ("frozen = []", 'frozen = "w1"', "line 38: frozen must be a list in [ ], not 'w1'"),
        (
            "frozen = []",
            'frozen = ["w1", "w2", "w3", "w4", "b1", "b2"]',
            "[update] has nothing to move",
        ),
        # The whole.
        ("[update]", "[updates]", "line 34: a worksheet has no updates. Did you mean update"),
        (
            "[update]",
            '[expression]\nJ = "1"\n[update]',
            "line 34: [expression] and [layer] do not go together",
        ),
        (
            'title = "A 2-2-1 network learns XOR"',
            "title = 2",
            "line 2: title must be text in quotes",
        ),
        ("w2 = 0.5", "w1 = 0.5", "xor.toml, line 7: it is no TOML: Cannot overwrite a value"),
        ("w2 = 0.5", "w2 = ", "xor.toml, line 7: it is no TOML: Invalid value"),
        ("w2 = 0.5", 'w2 = "', "xor.toml, line 7: it is no TOML"),
        ('[[layer]]\nunits = ["o"]', '[layer]\nunits = ["o"]', "it is no TOML"),
        ("w2 = 0.5", f"w2 = {'9' * 5000}", "it is no TOML: Exceeds the limit"),
        ("w2 = 0.5", f"w2 = {'[' * 5000}", "it is no TOML"),
    ],
)
def test_refusals(old: str, new: str, message: str) -> None:
    with pytest.raises(WorksheetError) as caught:
        read(changed(XOR, old, new))
    assert message in str(caught.value)
    assert isinstance(caught.value, DataError)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "xor.toml: there is nothing to compute: write [[layer]]s or an [expression]"),
        ("layer = 3", "line 1: layers are written [[layer]], with two brackets"),
        ("layer = []", "write a [[layer]]"),
        ("[layer]\nunits = []", "line 1: layers are written [[layer]], with two brackets"),
        ("[expression]", "line 1: [expression] is empty"),
        ("expression = 2", "line 1: expression must be a table, [expression], not 2"),
        ('[expression]\nJ = "3 * w"', "line 2: J uses 'w', which has no value: write it under"),
        ('[expression]\nJ = "3 * xx"\n[values]\nx = 1', "write it under [values]. Did you mean x"),
        ('[expression]\nJ = "3 * "\n[values]\nx = 1', "line 2: J: column 5 of “3 * ”: expected a"),
        ('[expression]\nJ = "dE/dx"\n[values]\nx = 1', "line 2: J has a derivative in it"),
        (
            '[expression]\nJ = ["x"]\n[values]\nx = 1',
            "line 2: J must be a formula in quotes, not [",
        ),
        ("[expression]\nJ = inf\n[values]\nx = 1", "line 2: J must be a finite number, not inf"),
        ('[expression]\nJ = "2*3"\n[values]\nx = 1', "line 2: J depends on no value, so it has no"),
        ('[expression]\nJ = "1 if x > 0 else 2"\n[values]\nx = 1', "J depends on no value"),
        ('[expression]\nx = "2*x"\n[values]\nx = 1', "line 2: x is a value and a line of"),
        ('[expression]\nx_1 = "2"\n[values]\nx1 = 1', "x1 (a value) and x_1 (a line of"),
        (
            '[expression]\nu = "v + x"\nv = "w"\nw = "u"\n[values]\nx = 1',
            "line 2: the lines go round in a circle: u → v → w → u",
        ),
        ('[expression]\nu = "u + 1"\n[values]\nx = 1', "in a circle: u → u"),
        ('[expression]\n"a b" = "x"\n[values]\nx = 1', "line 2: line 'a b' is no name"),
        ('[expression]\nJ = "x"\n[values]\nx = "1"', "line 4: x must be a number, not '1'"),
        (
            '[expression]\nJ = "x"\n[values]\nx = 1\n[names]\nloss = "K"',
            "line 6: loss = 'K' is not",
        ),
        ("[values]\nx = 1", "there is nothing to compute"),
        ("\n".join(f"a{k} = 1" for k in range(9)), "line 1: a worksheet has no a0"),
    ],
)
def test_more_refusals(text: str, message: str) -> None:
    with pytest.raises(WorksheetError) as caught:
        read(text)
    assert message in str(caught.value)


def test_loss_ranges() -> None:
    text = changed(XOR, '"half_squared_error"', '"binary_cross_entropy"')
    with pytest.raises(WorksheetError, match="line 28: the target of o is 2; binary_cross_entropy"):
        read(changed(text, "{ o = 1.0 }", "{ o = 2.0 }"))
    with pytest.raises(WorksheetError, match="takes outputs between 0 and 1; the last layer's"):
        read(changed(text, 'bias = ["b2"]\nactivation = "sigmoid"', 'activation = "tanh"'))


def test_notes_name_what_is_used_nowhere() -> None:
    sheet = read(changed(XOR, "b2 = 0.6", "b2 = 0.6\nw9 = 1.0"))
    assert sheet.notes == ("xor.toml, line 12: w9 is used nowhere",)
    assert read(FORMULAS + "q = 1\n").notes == ("xor.toml, line 11: q is used nowhere",)


# Files.
def test_files(tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(XOR, encoding="utf-8")
    assert Worksheet.read(path).file == "sheet.toml"
    assert Worksheet.read(str(path)).title == "A 2-2-1 network learns XOR"
    path.write_bytes(b"\xef\xbb\xbf" + XOR.encode())
    assert Worksheet.read(path).layers


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(WorksheetError, match=r"none\.toml is not there; check the path"):
        Worksheet.read(tmp_path / "none.toml")
    with pytest.raises(WorksheetError, match="is a directory; name a file in it"):
        Worksheet.read(tmp_path)
    path = tmp_path / "sheet.toml"
    path.write_bytes(b"title = 'x'\n# \xff\n")
    with pytest.raises(WorksheetError, match=r"sheet\.toml, line 2: it is not UTF-8; save it as"):
        Worksheet.read(path)
    path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(WorksheetError, match=r"sheet\.toml is larger than 1 MiB"):
        Worksheet.read(path)
    with pytest.raises(WorksheetError, match="cannot be read"):
        Worksheet.read("a\0b")


def with_csv(folder: Path, content: str, name: str = "xor.csv") -> Worksheet:
    (folder / "xor.csv").write_text(content, encoding="utf-8")
    data = f'csv = "{name}"'
    text = changed(XOR, "inputs  = { x1 = 1.0, x2 = 0.0 }\ntargets = { o = 1.0 }", data)
    (folder / "sheet.toml").write_text(text, encoding="utf-8")
    return Worksheet.read(folder / "sheet.toml")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    rows = "x1,x2,o\n0,0,0\n0, 1.0 ,1\n1,0,1e0\n\n1,1,-.0\n".replace(",", delimiter)
    data = with_csv(tmp_path, rows).data
    assert data is not None
    assert data.inputs == {"x1": (0, 0, 1, 1), "x2": (0, 1, 0, 1)}
    assert data.targets == {"o": (0, 1, 1, 0)}
    assert data.records == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "xor.csv has no records: write a header, then a row for each record"),
        ("x1,x2,o\n", "xor.csv has no records"),
        (
            "x1,x2\n0,1\n",
            "line 27: xor.csv has no column o, the target of that output; its columns are x1, x2",
        ),
        ("o\n0\n", "line 27: xor.csv has targets and no inputs"),
        ("x1,x1,o\n0,0,0\n", "xor.csv has two columns x1; give each a name of its own"),
        ("x1,,o\n0,0,0\n", "xor.csv has a column without a name"),
        ("x1,x2,o\n0,0\n", "xor.csv, row 2 has 2 cells; the header has 3"),
        ("x1,x2,o\n0,no,0\n", "xor.csv, row 2: 'no' under x2 is no number"),
        ("x1,x2,o\n0,nan,0\n", "xor.csv, row 2: 'nan' under x2 is no number"),
        ("x1,x2,o\n0,1e999,0\n", "xor.csv, row 2: '1e999' under x2 is no number"),
        ("x1,x2,o\n0,,0\n", "xor.csv, row 2: '' under x2 is no number"),
        ('x1,x2,o\n0,"1,0\n', "xor.csv is no CSV"),
        ("x 1,x2,o\n0,1,0\n", "in xor.csv, the column 'x 1' is no name"),
        (
            "x1,x2,x3,o\n0,1,0,1\n",
            "the row of h1 has 2 weights; it needs 3, one for each of x1, x2",
        ),
    ],
)
def test_csv_refusals(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(WorksheetError) as caught:
        with_csv(tmp_path, content)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["../xor.csv", "/etc/passwd", "a/b.csv", "..", "a\\\\b.csv", ""])
def test_csv_is_beside_the_worksheet(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorksheetError, match="must name a file beside the worksheet"):
        with_csv(tmp_path, "x1,x2,o\n0,0,0\n", name)


def test_csv_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(WorksheetError, match=r"other\.csv is not there"):
        with_csv(tmp_path, "", "other.csv")
    with pytest.raises(WorksheetError, match="a worksheet without a file has no folder"):
        read(changed(XOR, "inputs  = { x1 = 1.0, x2 = 0.0 }", 'csv = "xor.csv"').replace(
            "targets = { o = 1.0 }", ""))  # fmt: skip
    with pytest.raises(WorksheetError, match="has csv and inputs or targets: keep one of them"):
        read(changed(XOR, "[data]", '[data]\ncsv = "xor.csv"'))


# Whatever it is, it is one clear error.
KEYS = st.sampled_from(
    ["title", "parameters", "layer", "data", "loss", "update", "names", "expression", "values",
     "units", "weights", "bias", "activation", "inputs", "targets", "csv", "kind", "over_records",
     "rule", "lr", "learning_rate", "steps", "frozen", "weighted_sum", "loss_term", "target",
     "delta",     "w1", "x", "o", "J", "w_1", "betas", "momentum", "eps"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["w1", "x", "o", "J", "sigmoid", "softmax", "cross_entropy", "sum", "adam", "x + 1", "J * x",
     "{unit}", "z_{n}", "a", "x.csv", "", "é\u0301", "\u202e", "9^9^9^9", "((",
     "half_squared_error"]
)  # fmt: skip
SCALARS = WORDS | st.integers(-3, 3) | st.floats() | st.booleans() | st.text(max_size=5)
THINGS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


def is_refused_or_read(text: str) -> None:
    try:
        sheet = Worksheet.from_text(text)
    except WorksheetError as error:
        sheet = str(error)  # type: ignore[assignment]
    assert sheet


@settings(max_examples=500)
@given(st.dictionaries(KEYS, THINGS, max_size=6))
def test_random_tables(tables: dict[str, object]) -> None:
    is_refused_or_read("\n".join(f"{key} = {toml(value)}" for key, value in tables.items()))


@settings(max_examples=500)
@given(st.sampled_from([XOR, FORMULAS]), st.data())
def test_a_worksheet_with_one_thing_wrong(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    k = data.draw(st.integers(0, len(lines) - 1))
    key = lines[k].partition("=")[0].strip() or "a"
    if data.draw(st.booleans()):
        key = data.draw(KEYS)
    lines[k] = f"{key} = {toml(data.draw(THINGS))}"
    is_refused_or_read("\n".join(lines))


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_random_text(text: str) -> None:
    is_refused_or_read(text)
