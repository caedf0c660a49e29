"""The door to what plays: `open_player` gives the fastest player of a pack on a device."""

from .door import Player, State, cost, described, open_player

__all__ = ["Player", "State", "cost", "described", "open_player"]
