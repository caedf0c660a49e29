"""The tensors of a checkpoint, taken by name and shape until none is left, and what had to be assumed on the way.

An importer takes every tensor that its program has, says which ones it drops and why, and ends with `finish`, which
refuses leftovers: a tensor that nobody understood may be the one that changes the sound.
"""

from __future__ import annotations

import collections.abc
import os
import re
import typing

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError
from ..files.tensorfile import short
from .settings import Settings

Array = NDArray[typing.Any]
Tensors = dict[str, NDArray[np.float32]]

_SHOWN = 3  # names of dropped tensors in one sentence


class Source:
    """What an importer reads from. `.settings` is the program's own config, `.assumed` and `.dropped` are sentences.

    Names are those of the program; `prefix` and `suffix` are what the file has around them. Names that stand outside,
    such as what a Lightning module has beside its model, are as in the file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        tensors: collections.abc.Mapping[str, Array],
        settings: Settings,
        prefix: str = "",
        suffix: str = "",
    ) -> None:
        self.path, self.settings = path, settings
        self.assumed: list[str] = []
        self.dropped: list[str] = []
        self._tensors = tensors
        self._left = dict.fromkeys(tensors)
        inside = {key for key in tensors if key.startswith(prefix) and key.endswith(suffix)}
        self._keys = {key: key for key in tensors if key not in inside}
        self._keys |= {key[len(prefix) : len(key) - len(suffix)]: key for key in tensors if key in inside}
        self._prefix, self._suffix = prefix, suffix
        self._rounded = False

    def error(self, problem: str, advice: str) -> PackError:
        """One sentence about this checkpoint."""
        return PackError(f"{self.path}: {problem}; {advice}")

    def assume(self, what: str, why: str = "the checkpoint does not say") -> None:
        self.assumed.append(f"{what} assumed: {why}")

    def told(self, name: str) -> str:
        """A tensor's name as it is in the file, for a sentence."""
        return f"tensor {short(self._key(name))}"

    # What is there

    def has(self, name: str) -> bool:
        return self._key(name) in self._left

    def count(self, pattern: str, first: int = 0) -> int:
        """How many of the names that `pattern` gives for `first`, `first` + 1, ... are there without a gap."""
        n = 0
        while self.has(pattern.format(first + n)):
            n += 1
        return n

    def names(self, pattern: str) -> list[str]:
        """The names of the program, prefix and suffix removed, that match a regular expression whole."""
        whole = re.compile(pattern)
        return [name for name, key in self._keys.items() if key in self._left and whole.fullmatch(name)]

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """The shape of a tensor that must be there, with `rank` dimensions, none of them empty."""
        shape = self._shape(name)
        if len(shape) != rank or 0 in shape:
            raise self._misshapen(name, f"{rank} dimensions, none empty")
        return shape

    def rank(self, name: str) -> int:
        return len(self._shape(name))

    def gates(self, name: str, dim: int, kinds: collections.abc.Mapping[int, str]) -> str:
        """The recurrent cell whose gates stand side by side in the columns of a matrix: `kinds` by their number."""
        columns = self.shape(name, 2)[1]
        for gates, cell in kinds.items():
            if columns == gates * dim:
                return cell
        wanted = " or ".join(f"{gates * dim} columns ({cell})" for gates, cell in kinds.items())
        raise self._misshapen(name, wanted)

    # Taking

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        """The tensor of this name, once: finite float32 of just this shape. Raises `PackError`."""
        if self._shape(name) != shape:
            raise self._misshapen(name, str(shape))
        key = self._key(name)
        del self._left[key]
        array = self._tensors.pop(key) if isinstance(self._tensors, dict) else self._tensors[key]
        array = np.asarray(array)
        if array.dtype.kind != "f":
            raise self.error(f"{self.told(name)} has dtype {array.dtype}, wanted float32", "use another checkpoint")
        self._rounded |= array.dtype == np.float64
        return self.finite(name, array)

    def finite(self, name: str, array: Array) -> NDArray[np.float32]:
        """`array`, which was made of the tensor `name`, as float32. Raises `PackError` for NaN and infinity."""
        with np.errstate(over="ignore"):
            array = np.asarray(array, np.float32)
        if not np.isfinite(array).all():
            raise self.error(
                f"{self.told(name)} holds or makes NaN or infinity, wanted finite weights",
                "use an earlier checkpoint",
            )
        return array

    def drop(self, pattern: str, why: str) -> None:
        """Leave out, and list, the tensors whose name in the file matches `pattern` anywhere."""
        found = [key for key in self._left if re.search(pattern, key)]
        if found:
            for key in found:
                del self._left[key]
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            names = ", ".join(short(key, quote=False) for key in found[:_SHOWN])
            self.dropped.append(f"{names}{more} dropped: {why}")

    def finish(self) -> None:
        """Refuse what is left."""
        if self._left:
            first, *others = self._left
            more = f" (and {len(others)} more)" if others else ""
            raise self.error(
                f"tensor {short(first)}{more} is left over: the program of this kind has no such tensor",
                "name another kind, or a checkpoint of the unchanged program",
            )
        if self._rounded:
            self.assumed.append("float64 weights rounded to float32, which is what players compute in")

    # Beside the tensors

    def agree(self, setting: str, found: typing.Any, tensor: str) -> None:
        """Refuse a config that says something else than the tensors, where it says anything."""
        said = self.settings.get(setting, type(found))
        same = said.lower() == found.lower() if isinstance(said, str) else said == found
        if said is not None and not same:
            raise self.error(
                f"{setting} is {short(said)} in {self.settings.origin}, but {self.told(tensor)} says {short(found)}",
                "name the config that this checkpoint was trained with",
            )

    def sample_rate(self, usual: int = 16000) -> int:
        rate = self.settings.get("sample_rate", int)
        if rate is None:
            self.assume(f"sample rate {usual}")
        return usual if rate is None else rate

    # Inside

    def _key(self, name: str) -> str:
        return self._keys.get(name, f"{self._prefix}{name}{self._suffix}")

    def _shape(self, name: str) -> tuple[int, ...]:
        key = self._key(name)
        if key not in self._left:
            raise self.error(f"{self.told(name)} is missing", "use a whole checkpoint of this kind, or name its kind")
        shapes = getattr(self._tensors, "shapes", None)  # known without reading
        return shapes[key] if shapes is not None else np.shape(self._tensors[key])

    def _misshapen(self, name: str, wanted: str) -> PackError:
        return self.error(
            f"{self.told(name)} has shape {short(self._shape(name))}, wanted {wanted}",
            "use an unchanged checkpoint of this kind",
        )
