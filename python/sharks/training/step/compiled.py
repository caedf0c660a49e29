"""torch.compile for the part of a model that is many small operations, such as the layers of a WaveNet.

A model of a few large ones, which no compiler makes faster, names no such part. Where the compiler fails, as it does
without a C++ compiler or on a GPU that it does not know, the model goes on as it is, and says so.
"""

from __future__ import annotations

import typing
from collections.abc import Callable

import torch

from ...families.torch_parts.model import Model


def compile_layers(model: Model, tell: Callable[[str], None]) -> bool:
    """Let what the model names be compiled when it first runs; whether there was anything to compile."""
    for name in model.to_compile:
        plain = getattr(model, name)
        setattr(model, name, _Compiled(plain, torch.compile(plain, dynamic=False), tell))
    return bool(model.to_compile)


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
