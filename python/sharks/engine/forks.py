"""Players that a process had when it forked.

The child has a copy of their memory and none of their threads, for which a step, and even the end of a player, would
wait for ever. So in the child the engine's player is never touched again, and whoever asks for it is refused.
"""

from __future__ import annotations

import ctypes
import os
import typing
import weakref

from ..errors import UsageError

_players: weakref.WeakSet[typing.Any] = weakref.WeakSet()


class Lost:
    """In the place of an engine's player, in a forked child: refuses whatever is asked of it."""

    notes = ()

    def __getattr__(self, name: str) -> typing.NoReturn:
        raise UsageError("a player or stream of before a fork has none of its threads here; open one after it")


def watch(player: typing.Any) -> None:
    """Take the engine's part, `player._player`, away from this player in every child that is forked from now on."""
    _players.add(player)


def _in_child() -> None:
    for player in list(_players):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(player._player))  # its end would wait for its threads
        player._player = Lost()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
