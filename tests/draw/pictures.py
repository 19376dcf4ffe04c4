"""Pictures that the tests draw."""

from __future__ import annotations

import random

from chalkgrad.draw import Edge, Picture, Vertex


def lecture(x: float = 4.0, y: float = 3.0, z: float = 2.0) -> Picture:
    """J = 3(x + yz), with what goes forward and the local derivatives on the arrows."""
    u = y * z
    v = x + u
    vertices = (
        Vertex("x", "x", x, "input"),
        Vertex("y", "y", y, "input"),
        Vertex("z", "z", z, "input"),
        Vertex("u", "u", u, detail="y·z"),
        Vertex("v", "v", v, detail="x + u"),
        Vertex("J", "J", 3 * v, "loss", detail="3·v"),
    )
    edges = (
        Edge("y", "u", f"{y:g}", f"∂u/∂y = {z:g}"),
        Edge("z", "u", f"{z:g}", f"∂u/∂z = {y:g}"),
        Edge("x", "v", f"{x:g}", "∂v/∂x = 1"),
        Edge("u", "v", f"{u:g}", "∂v/∂u = 1"),
        Edge("v", "J", f"{v:g}", "∂J/∂v = 3"),
    )
    return Picture(vertices, edges, "J = 3(x + yz)", "Local derivatives are on the arrows.")


def network(*sizes: int, gradients: bool = True, seed: int = 1) -> Picture:
    """A layered network with every weight on its arrow."""
    chance = random.Random(seed)
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    for layer, size in enumerate(sizes):
        kind = "activation" if layer else "input"
        for unit in range(size):
            key = f"{layer},{unit}"
            vertices.append(Vertex(key, f"output_h{unit}", chance.gauss(0, 1), kind, layer))
            for source in range(sizes[layer - 1] if layer else 0):
                weight = chance.gauss(0, 1)
                below = f"∂E/∂w{len(edges)} = {chance.gauss(0, 0.1):.5f}" if gradients else ""
                above = f"w{len(edges)} = {weight:.5f}"
                edges.append(Edge(f"{layer - 1},{source}", key, above, below, weight))
    return Picture(tuple(vertices), tuple(edges), "A network", layout="layers")


def scattered(count: int = 14, arrows: int = 24, seed: int = 3) -> Picture:
    """A random graph without circles."""
    chance = random.Random(seed)
    vertices = tuple(Vertex(str(i), f"q{i}", chance.gauss(0, 3)) for i in range(count))
    pairs = sorted({tuple(sorted(chance.sample(range(count), 2))) for _ in range(arrows)})
    edges = tuple(
        Edge(str(a), str(b), below=f"∂q{b}/∂q{a} = {chance.gauss(0, 1):.5f}") for a, b in pairs
    )
    return Picture(vertices, edges, "A random graph")
