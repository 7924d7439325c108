"""Directed graphs over numbers: an order in which everything stands after what it depends on."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush


def topological_order(dependencies: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Every node that lies on no cycle and behind none, after all it depends on; among equals the lower number first.

    `dependencies[node]` are the nodes that it depends on. Nodes that are missing in the answer lie on a cycle or behind one.
    """
    waiting = [len(set(needed)) for needed in dependencies]
    dependents: list[list[int]] = [[] for _ in dependencies]
    for node, needed in enumerate(dependencies):
        for other in set(needed):
            dependents[other].append(node)
    ready = [node for node, count in enumerate(waiting) if count == 0]
    heapify(ready)
    order: list[int] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for dependent in dependents[node]:
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                heappush(ready, dependent)
    return tuple(order)


def cycles(dependencies: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Cycles that share no node, each from its lowest number on along the dependencies. Breaking one of its edges per cycle
    may leave others that ran through the same nodes.
    """
    left = set(range(len(dependencies))) - set(topological_order(dependencies))
    found: list[tuple[int, ...]] = []
    while left:
        way: list[int] = []
        node: int | None = min(left)
        while node is not None and node not in way:
            way.append(node)
            node = next((other for other in dependencies[node] if other in left), None)
        if node is None:
            left -= {way[-1]}
            continue
        cycle = way[way.index(node) :]
        start = cycle.index(min(cycle))
        found.append((*cycle[start:], *cycle[:start]))
        left -= set(cycle)
    return tuple(found)
