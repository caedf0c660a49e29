"""What a model is told besides levels: nothing, or for a whole stream one class of several, or one vector.

A spec names its kind as `spec.condition`. Whatever the kind, what a step sees is one vector per stream.
"""

from __future__ import annotations

import abc
import typing
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError

Array = NDArray[typing.Any]


class Condition(abc.ABC):
    """One kind of conditioning."""

    axes: ClassVar[int]  # of what one stream is told: 0 is a number, 1 a vector

    @abc.abstractmethod
    def vectors(self, tensors: dict[str, np.ndarray], given: ArrayLike | None, streams: int) -> Array | None:
        """`given` for each of `streams` streams as vectors (streams, G), or None where the model takes none.

        `tensors` are the model's, by name. Raises `UsageError` where the model wants something else.
        """

    @abc.abstractmethod
    def example(self) -> Array | None:
        """The condition under which golden steps are played, for one stream; its shape and dtype are those of all."""

    @abc.abstractmethod
    def fits(self, given: Array) -> bool:
        """Whether what has the example's shape and dtype can be meant."""

    def per_stream(self, given: ArrayLike | None, streams: int) -> Array | None:
        """A condition that is for all streams, repeated for each; others as they are, and not judged here."""
        if given is None:
            return None
        try:
            one = np.asarray(given)
        except ValueError as error:
            raise UsageError(f"condition is not an array ({error}); wanted a class or a vector per stream") from None
        return np.broadcast_to(one, (streams, *one.shape)) if one.ndim == self.axes else one


@dataclass(frozen=True)
class Unconditioned(Condition):
    """Nothing is told."""

    axes = 0

    def vectors(self, tensors: dict[str, np.ndarray], given: ArrayLike | None, streams: int) -> None:
        if given is not None:
            raise UsageError("condition is given, but this model has no global conditioning; leave it out")

    def example(self) -> None:
        return None

    def fits(self, given: Array) -> bool:
        return False


@dataclass(frozen=True)
class OneClass(Condition):
    """A class from 0 to `classes - 1` per stream, int (B,): a row of the tensor named `table`, [classes, G]."""

    classes: int
    table: str

    axes = 0

    def vectors(self, tensors: dict[str, np.ndarray], given: ArrayLike | None, streams: int) -> Array:
        wanted = f"one class from 0 to {self.classes - 1} for each of {streams} streams"
        rows = _present(given, wanted)
        if rows.shape != (streams,) or rows.dtype.kind not in "iu" or not self.fits(rows):
            raise UsageError(f"condition is {rows.dtype} {rows.tolist()}; wanted {wanted}")
        return tensors[self.table][rows]

    def example(self) -> Array:
        return np.zeros(1, np.int32)

    def fits(self, given: Array) -> bool:
        return bool(((given >= 0) & (given < self.classes)).all())


@dataclass(frozen=True)
class OneVector(Condition):
    """A vector of `width` numbers per stream, float (B, G), as it is."""

    width: int

    axes = 1

    def vectors(self, tensors: dict[str, np.ndarray], given: ArrayLike | None, streams: int) -> Array:
        wanted = f"({streams}, {self.width})"
        rows = _present(given, wanted)
        if rows.shape != (streams, self.width) or rows.dtype.kind not in "iuf" or not self.fits(rows):
            raise UsageError(f"condition is {rows.dtype} {rows.shape}; wanted finite vectors {wanted}")
        return rows.astype(np.float64)

    def example(self) -> Array:
        return np.linspace(-1, 1, self.width, dtype=np.float32)[None]

    def fits(self, given: Array) -> bool:
        return bool(np.isfinite(given).all())


def _present(given: ArrayLike | None, wanted: str) -> Array:
    if given is None:
        raise UsageError(f"condition is missing; wanted {wanted}")
    return np.asarray(given)
