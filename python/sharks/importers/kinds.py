"""The programs whose checkpoints are read, and which of them a checkpoint is of: names decide."""

from __future__ import annotations

import collections.abc
import functools
import typing

from ..families.spec import Spec
from .containers import BUNDLE, PICKLE, TORCH
from .programs import deepsound, ibab, prism, s4, theano, vincentherrmann
from .source import Source, Tensors


class Kind(typing.NamedTuple):
    """One program. `prefix` knows its names and returns what stands before them; `build` makes spec and tensors."""

    program: str
    container: str
    prefix: typing.Callable[[collections.abc.Collection[str]], str | None]
    build: typing.Callable[[Source], tuple[Spec, Tensors]]
    keys: tuple[tuple[str, ...], ...]  # its config holds all names of one of these
    suffix: str = ""


def _theano(program: str) -> typing.Callable[[Source], tuple[Spec, Tensors]]:
    return functools.partial(theano.build, program=program)


KINDS: dict[str, Kind] = {
    "prism": Kind("PRiSM SampleRNN", BUNDLE, prism.prefix, prism.build, prism.KEYS, prism.SUFFIX),
    "ibab": Kind("tensorflow-wavenet", BUNDLE, ibab.prefix, ibab.build, ibab.KEYS),
    "deepsound": Kind("samplernn-pytorch", TORCH, deepsound.prefix, deepsound.build, deepsound.KEYS),
    "s4": Kind("the baselines of S4", TORCH, s4.prefix, s4.build, s4.KEYS),
    "vincentherrmann": Kind(
        "pytorch-wavenet", TORCH, vincentherrmann.prefix, vincentherrmann.build, vincentherrmann.KEYS
    ),
    "iclr2017": Kind("sampleRNN_ICLR2017", PICKLE, theano.prefix, _theano("iclr2017"), theano.KEYS),
    "dadabots": Kind("dadabots_sampleRNN", PICKLE, theano.prefix, _theano("dadabots"), theano.KEYS),
}


def fitting(container: str, names: collections.abc.Collection[str]) -> list[str]:
    """The kinds whose names these are. S4's WaveNet has Vincent Herrmann's names and an encoder besides."""
    found = [name for name, kind in KINDS.items() if kind.container == container and kind.prefix(names) is not None]
    return ["s4"] if "s4" in found else found
