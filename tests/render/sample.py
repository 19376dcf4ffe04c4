"""A small network with its passes, worked out here by the chain rule, and documents made of it."""

from __future__ import annotations

from chalkgrad.explain.board import Board, Local, Path, Quantity
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.document import (
    Document,
    Equation,
    Fold,
    Heading,
    Link,
    Picture,
    Prose,
    Table,
)
from chalkgrad.explain.steps import Gradient, Line, Update
from chalkgrad.formulas import (
    ONE,
    Call,
    Expression,
    Name,
    Number,
    Partial,
    Rest,
    float_value,
    substitution,
)

GIVEN = {
    "i1": 0.05, "i2": 0.1, "w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3, "w5": 0.4, "w6": 0.45,
    "w7": 0.5, "w8": 0.55, "b1": 0.35, "b2": 0.6, "target_o1": 0.01, "target_o2": 0.99,
}  # fmt: skip
RATE = 0.5
HOSTILE = (
    '<script>alert(1)</script> \\input{/etc/passwd} #import "x" $x$ [red]boo[/red] *b* _i_ %'
    "\x1b[31m\u202e"
)
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="80" viewBox="0 0 320 80">'
    '<rect x="10" y="20" width="80" height="40" rx="8" fill="#8fbcf2"/>'
    '<path d="M90 40 H 230" stroke="#888" stroke-width="2"/>'
    '<circle cx="250" cy="40" r="20" fill="#e9b44c"/></svg>'
)


def weighted(unit: str, weights: tuple[str, str], inputs: tuple[str, str], bias: str) -> Expression:
    products = [Name(w) * Name(i) for w, i in zip(weights, inputs, strict=True)]
    return Call("sum", (*products, Name(bias)))


def sigmoid(name: str) -> Expression:
    return Call("sigmoid", (Name(name),))


def squared(n: int, unit: str) -> Expression:
    difference = Name(f"target_{unit}") - Name(f"output_{unit}")
    return Call("multiply", (Number(0.5, "1/2"), Call("square", (difference,))))


FORMULAS: dict[str, Expression] = {
    "sum_h1": weighted("h1", ("w1", "w2"), ("i1", "i2"), "b1"),
    "output_h1": sigmoid("sum_h1"),
    "sum_h2": weighted("h2", ("w3", "w4"), ("i1", "i2"), "b1"),
    "output_h2": sigmoid("sum_h2"),
    "sum_o1": weighted("o1", ("w5", "w6"), ("output_h1", "output_h2"), "b2"),
    "output_o1": sigmoid("sum_o1"),
    "sum_o2": weighted("o2", ("w7", "w8"), ("output_h1", "output_h2"), "b2"),
    "output_o2": sigmoid("sum_o2"),
    "E_1": squared(1, "o1"),
    "E_2": squared(2, "o2"),
    "E_total": Name("E_1") + Name("E_2"),
}


def slope(unit: str) -> Expression:
    return Name(unit) * (ONE - Name(unit))


def miss(unit: str) -> Expression:
    return -(Name(f"target_{unit}") - Name(f"output_{unit}"))


EDGES: dict[tuple[str, str], Expression] = {
    ("E_total", "E_1"): ONE,
    ("E_total", "E_2"): ONE,
    ("E_1", "output_o1"): miss("o1"),
    ("E_2", "output_o2"): miss("o2"),
    ("output_o1", "sum_o1"): slope("output_o1"),
    ("output_o2", "sum_o2"): slope("output_o2"),
    ("sum_o1", "output_h1"): Name("w5"),
    ("sum_o2", "output_h1"): Name("w7"),
    ("sum_o1", "w5"): Name("output_h1"),
    ("output_h1", "sum_h1"): slope("output_h1"),
    ("sum_h1", "w1"): Name("i1"),
}


def board(given: dict[str, float] = GIVEN) -> Board:
    values = dict(given)
    quantities = {
        name: Quantity(Name(name), "parameter" if name[0] in "wb" else "input", value)
        for name, value in given.items()
    }
    for name, formula in FORMULAS.items():
        values[name] = float_value(formula, values)
        quantities[name] = Quantity(Name(name), "value", values[name], formula)
    locals = {
        (of, by): Local(Name(of), Name(by), formula, (), formula, float_value(formula, values))
        for (of, by), formula in EDGES.items()
    }
    return Board(quantities, locals, "E_total")


def derivation() -> Derivation:
    """Gradients of w5 and w1, a step of gradient descent for both, and the pass after it."""
    before = board()
    gradients, updates, new = [], [], dict(GIVEN)
    for name in ("w5", "w1"):
        paths = tuple(before.paths("E_total", name))
        value = sum(path.value for path in paths)
        gradients.append(Gradient(Name("E_total"), Name(name), value, paths))
        formula = Name(name) - Name("η") * Partial(Name("E_total"), Name(name))
        new[name] = GIVEN[name] - RATE * value
        line = Line(Name(f"new {name}"), formula, new[name])
        settings = (("η", RATE), (name, GIVEN[name]))
        updates.append(Update(Name(name), GIVEN[name], value, new[name], (line,), settings))
    return Derivation(
        title="A 2-2-2 network",
        source="a lecture, page 3",
        conventions=(("loss", "½ Σ (target − output)²"),),
        board=before,
        gradients=tuple(gradients),
        updates=tuple(updates),
        after=board(new),
    )


def chain(path: Path) -> list[Link]:
    symbols = tuple(local.symbol for local in path.locals)
    formulas = tuple(local.formula for local in path.locals)
    numbers = tuple(Number(local.value) for local in path.locals)
    return [
        Link(Call("prod", symbols), remark="the chain rule"),
        Link(Call("prod", formulas)),
        Link(Call("prod", numbers), "≈"),
        Link(Number(path.value), "≈"),
    ]


def document() -> Document:
    """Every kind of block, with formulas that are longer than a line."""
    made, of = Document("A 2-2-2 network learns", source="a lecture, page 3"), board()
    made.prose("The loss is ", FORMULAS["E_1"], " for each output. Numbers are rounded; ")
    made.prose(Name("E_total"), " is their sum, as in step 2.")
    _forward(made, of.values)
    made.heading(1, "Backward pass")
    made.heading(2, "The gradient towards w1")
    made.prose("Two paths lead from ", Name("E_total"), " to ", Name("w1"), ".")
    symbol = Partial(Name("E_total"), Name("w1"))
    for k, path in enumerate(of.paths("E_total", "w1"), 1):
        made.heading(3, f"Through E_{k}")
        made.equation(symbol, chain(path), f"step {11 + k}")
    _long(made)
    rule = "old − learning rate · gradient"
    rows = (
        (Name("w1"), Number(GIVEN["w1"]), Number(0.08), rule),
        (Name("w5"), Number(GIVEN["w5"]), Number(0.16), rule),
    )
    made.blocks.append(Table(("parameter", "old", "gradient", "rule"), rows))
    made.blocks.append(Picture(DRAWING, "x leads to y."))
    made.blocks.append(_fold())
    return made


def _forward(made: Document, values: dict[str, float]) -> None:
    made.heading(1, "Forward pass")
    for number, (name, formula) in enumerate(FORMULAS.items(), 1):
        numbers = Link(substitution(formula, values))
        links = [Link(formula), numbers, Link(Number(values[name]), "≈")]
        made.equation(Name(name), links, f"step {number}")


def _long(made: Document) -> None:
    products = [Name(f"output_h{k}") * Name(f"w_{k}") for k in range(1, 15)]
    total = Call("sum", (*products, Rest(118, -0.0123)))
    remark = "its first factor was computed in step 12 already, and is used again here"
    links = [
        Link(total),
        Link(Call("prod", (total, ONE - Name("sum_o3"))), remark=remark),
        Link(Number(1.25), "≈"),
    ]
    made.equation(Name("sum_o3"), links, "step 14")


def _fold() -> Fold:
    steep = Call("exp", (-Name("z"),)) / (ONE + Call("square", (Name("a[2]"),)))
    parts = Call("sum", (Name("delta_1[2]") * Name("x_1[2]"), steep))
    output = Partial(Name("output_o1"), Name("sum_o1"))
    return Fold(
        "All local derivatives",
        (
            Prose(("Each is used in some path.",)),
            Equation(output, (Link(slope("output_o1")), Link(Number(0.186815), "≈")), "step 15"),
            Heading(3, "Layers"),
            Equation(Partial(Name("L"), Name("layers.0.weight[1,0]")), (Link(parts),)),
        ),
    )
