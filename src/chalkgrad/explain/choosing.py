"""Which paths are shown: all of a small board's, the largest of a large one's."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count

from chalkgrad.explain.board import Board, Local, Path
from chalkgrad.explain.steps import Gradient

MOST_PATHS = 64


def gradient_of(board: Board, of: str, by: str, most: int = MOST_PATHS) -> Gradient:
    """∂of/∂by with its paths, or the `most` largest of them and what the others add up to."""
    total = board.gradient(of, by)
    names = board.quantities[of].name, board.quantities[by].name
    folded = of == board.loss and not _above(board, by).isdisjoint(board.rest)
    if count_paths(board, of, by) <= most:
        paths = tuple(board.paths(of, by))
        shown = sum(path.value for path in paths)
        return Gradient(*names, total, paths, folded, total - shown if folded else 0.0)
    paths = tuple(largest_paths(board, of, by, most))
    return Gradient(*names, total, paths, True, total - sum(path.value for path in paths))


def count_paths(board: Board, of: str, by: str) -> int:
    """How many paths lead from `of` down to `by`."""
    useful = board.leads_to(of)
    numbers = {of: 1}
    for name in reversed(board.quantities):
        if name in useful and name != of:
            numbers[name] = sum(numbers.get(user, 0) for user in board.users[name])
    return numbers.get(by, 0)


def largest_paths(board: Board, of: str, by: str, most: int) -> list[Path]:
    """The `most` paths with the largest products, found best first.

    No continuation of a chain can be larger than its product so far times the largest product from
    there up to `of`; so the first complete chain that comes up is the largest.
    """
    useful = board.leads_to(of)
    bound = {of: 1.0}
    for name in reversed(board.quantities):
        if name in useful and name != of and name not in board.collapsed:
            users = [user for user in board.users[name] if user in bound]
            bound[name] = max(
                (abs(board.locals[u, name].value) * bound[u] for u in users), default=0.0
            )
    ties, found = count(), list[Path]()
    waiting: list[tuple[float, int, str, tuple[Local, ...], float]] = []
    heappush(waiting, (-bound[by], next(ties), by, (), 1.0))
    while waiting and len(found) < most:
        _, _, name, chain, value = heappop(waiting)
        if name == of:
            found.append(Path(chain, value))
            continue
        for user in board.users[name]:
            if user in bound:
                local = board.locals[user, name]
                product = value * local.value
                key = (-abs(product) * bound[user], next(ties), user, (local, *chain), product)
                heappush(waiting, key)
    return found


def _above(board: Board, name: str) -> set[str]:
    found, work = {name}, [name]
    while work:
        for user in board.users[work.pop()]:
            if user not in found:
                found.add(user)
                work.append(user)
    return found
