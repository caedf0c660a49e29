"""torch.compile for the part of a model that is many small operations: the layers of a WaveNet.

What a SampleRNN does is a few large ones, which no compiler makes faster. Where the compiler fails, as it does without
a C++ compiler or on a GPU that it does not know, the model goes on as it is, and says so.
"""

from __future__ import annotations

import typing
from collections.abc import Callable

import torch

from ...families.samplernn.model import SampleRNN
from ...families.wavenet.model import WaveNet


def compile_layers(model: SampleRNN | WaveNet, tell: Callable[[str], None]) -> bool:
    """Let a WaveNet's layers be compiled when they first run; whether there was anything to compile."""
    if not isinstance(model, WaveNet):
        return False
    layers = model._skipped
    model._skipped = _Compiled(layers, torch.compile(layers, dynamic=False), tell)  # type: ignore[method-assign]
    return True


class _Compiled:
    """The compiled form, or the plain one from the moment that the compiled one has failed."""

    def __init__(
        self, plain: Callable[..., typing.Any], compiled: Callable[..., typing.Any], tell: Callable[[str], None]
    ) -> None:
        self._plain, self._compiled, self._tell = plain, compiled, tell
        self.failed = False

    def __call__(self, *arguments: typing.Any, **settings: typing.Any) -> typing.Any:
        if self.failed:
            return self._plain(*arguments, **settings)
        try:
            return self._compiled(*arguments, **settings)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # there is no telling what a compiler raises
            self.failed = True
            first = str(error).strip().splitlines()[:1]
            self._tell(f"torch.compile fails ({type(error).__name__}: {''.join(first):.120}); training goes on without")
            return self._plain(*arguments, **settings)
