"""The shape of what a pickle made: nothing that contains itself, nothing nested too deeply.

Whoever walks it afterwards can then neither go round for ever nor run out of stack.
"""

from __future__ import annotations

import itertools
import typing

from .pickle_values import Record

MOST_DEPTH = 200
_CONTAINERS = (dict, list, tuple, Record)


def check_structure(value: typing.Any) -> None:
    """Raise `ValueError` for what contains itself or is nested more than `MOST_DEPTH` deep. Visits everything once."""
    heights = {id(value): -1}  # the longest way down from whatever has been seen through; -1 while that goes on
    path = [_Node(value)]
    while path:
        node = path[-1]
        child = next(node.rest, None)
        if child is None:
            path.pop()
            heights[node.id] = node.height
            if path:
                path[-1].height = max(path[-1].height, node.height + 1)
        elif id(child) in heights:
            if heights[id(child)] < 0:
                raise ValueError("holds something that contains itself, which no checkpoint needs")
            node.height = max(node.height, heights[id(child)] + 1)
        else:
            heights[id(child)] = -1
            path.append(_Node(child))
        if len(path) + node.height > MOST_DEPTH:
            raise ValueError(f"is nested more than {MOST_DEPTH} deep, which no checkpoint needs")


class _Node:
    """A container on the way down: which of its parts are still to be seen, and the height found so far."""

    __slots__ = ("height", "id", "rest")

    def __init__(self, value: typing.Any) -> None:
        self.id = id(value)
        self.height = 0
        self.rest = (part for part in _parts(value) if type(part) in _CONTAINERS)


def _parts(value: typing.Any) -> typing.Iterable[typing.Any]:
    if type(value) is dict:
        return itertools.chain(value, value.values())
    if type(value) is Record:
        return (value.args, value.state, value.items, value.entries)
    return value if type(value) in (list, tuple) else ()
