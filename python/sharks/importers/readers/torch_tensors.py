"""Tensors as torch pickles them: a storage, a place in it, a shape and strides. Nothing is read before it is asked for.

`CONSTRUCTORS` are the functions of torch that such pickles call, as functions of ours.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing

import numpy as np
from numpy.typing import NDArray

from ...files.tensorfile import LARGEST_DIMENSION, MOST_DIMENSIONS
from .checkpoint_file import CheckpointFile
from .pickle_values import Constructor, Global, taken, told

_BFLOAT16 = "bfloat16"
_DTYPES = {
    "Float": "f4",
    "Double": "f8",
    "Half": "f2",
    "BFloat16": _BFLOAT16,
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}


@dataclasses.dataclass(eq=False)
class Storage:
    """`count` numbers of one dtype, in `file`, read by `read` when `values` is first asked for."""

    file: CheckpointFile
    read: typing.Callable[[Storage], bytes]
    key: str
    kind: str
    count: int
    order: typing.Literal["<", ">"] = "<"

    @property
    def itemsize(self) -> int:
        return self.raw_dtype.itemsize

    @property
    def raw_dtype(self) -> np.dtype[typing.Any]:
        """numpy has no bfloat16: its bits come as whole numbers."""
        return np.dtype("u2" if self.kind == _BFLOAT16 else self.kind)

    @functools.cached_property
    def values(self) -> NDArray[typing.Any]:
        """All numbers, read-only, in `raw_dtype`. Raises `PackError` where the file is damaged."""
        with self.file:
            data = self.read(self)
        return np.frombuffer(data, self.raw_dtype.newbyteorder(self.order))


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """A view of a storage: `start` and `strides` count its numbers. `.numpy()` reads it."""

    storage: Storage
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __repr__(self) -> str:
        return f"<Tensor {self.storage.kind} {self.shape}>"

    def set_state(self, state: typing.Any) -> None:
        """What old torch adds (requires_grad, hooks) is of no use here."""

    @property
    def bytes(self) -> int:
        """The size of what `numpy` returns."""
        return math.prod(self.shape) * (4 if self.storage.kind in ("f2", _BFLOAT16) else self.storage.itemsize)

    def numpy(self) -> NDArray[typing.Any]:
        """The numbers, read-only where they share the storage's memory; float16 and bfloat16 come as float32."""
        values = self.storage.values
        if math.prod(self.shape) == 0:
            view = np.zeros(self.shape, values.dtype)
        else:
            steps = tuple(step * values.itemsize for step in self.strides)
            view = np.lib.stride_tricks.as_strided(values[self.start :], self.shape, steps, writeable=False)
        if self.storage.kind == _BFLOAT16:
            return (view.astype(np.uint32) << np.uint32(16)).view(np.float32)
        native = np.float32 if self.storage.kind == "f2" else view.dtype.newbyteorder("=")
        return view.astype(native, copy=False)


def kind_of(storage_class: typing.Any) -> str:
    """The dtype of a storage class that a pickle names. Raises `ValueError` where it is none of numbers."""
    name = storage_class.name if isinstance(storage_class, Global) else ""
    kind = _DTYPES.get(name.removesuffix("Storage"))
    if kind is None or storage_class.module not in ("torch", "torch.cuda", "torch.storage"):
        raise ValueError(f"holds a storage of the class {told(storage_class)}, which is not one of plain numbers")
    return kind


def _tensor(args: tuple[typing.Any, ...]) -> object:
    """A tensor that lies wholly inside its storage, and no two of whose numbers share a place."""
    storage, start, shape, strides = taken(args[:4], 4)
    if type(storage) is not Storage or type(start) is not int:
        raise ValueError("makes a tensor of something that is no storage")
    for numbers in (shape, strides):
        if type(numbers) is not tuple or len(numbers) > MOST_DIMENSIONS:
            raise ValueError("gives a tensor a shape or strides that are none")
        if not all(type(n) is int and 0 <= n <= LARGEST_DIMENSION for n in numbers):
            raise ValueError("gives a tensor a shape or strides that cannot be meant")
    if len(strides) != len(shape):
        raise ValueError(f"gives a tensor {len(shape)} dimensions and {len(strides)} strides")
    if math.prod(shape):
        last = 0
        for stride, length in sorted(zip(strides, shape, strict=True)):
            if length > 1 and stride <= last:
                raise ValueError(f"holds a tensor of shape {shape} whose numbers share places (strides {strides})")
            last += stride * (length - 1)
        if start < 0 or start + last >= storage.count:
            raise ValueError(f"holds a tensor of shape {shape} that reaches outside its storage of {storage.count}")
    return Tensor(storage, start, shape, strides)


def _first(args: tuple[typing.Any, ...]) -> object:
    """Parameters and variables are, for us, the tensor that they wrap."""
    if not args or type(args[0]) is not Tensor:
        raise ValueError("makes a parameter of something that is no tensor")
    return args[0]


def _size(args: tuple[typing.Any, ...]) -> object:
    (sizes,) = taken(args, 1)
    if type(sizes) not in (tuple, list):
        raise ValueError(f"makes a shape of {told(sizes)}")
    return tuple(sizes)


def _of_subclass(args: tuple[typing.Any, ...]) -> object:
    """A tensor with attributes, or of a subclass: (function, class, its arguments, attributes)."""
    function, _, inner, _ = taken(args, 4)
    if type(function) is not Global or type(inner) is not tuple or str(function) not in _PLAIN:
        raise ValueError(f"makes a tensor with {told(function)}")
    return _PLAIN[str(function)](inner)


def _device(args: tuple[typing.Any, ...]) -> object:
    return str(args[0]) if args and isinstance(args[0], str) else "cpu"


def _attribute(args: tuple[typing.Any, ...]) -> object:
    """torch.relu and its kin, kept as an attribute of a module, are pickled as getattr(class, name): mere names too."""
    owner, name = taken(args, 2)
    if type(owner) is not Global or type(name) is not str or owner.module.split(".")[0] != "torch":
        raise ValueError(f"asks for an attribute of {told(owner)}")
    return Global(owner.module, f"{owner.name}.{name}")


_PLAIN: dict[str, Constructor] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
}
CONSTRUCTORS: dict[str, Constructor] = {
    **_PLAIN,
    "torch._tensor._rebuild_from_type_v2": _of_subclass,
    "torch.nn.parameter.Parameter": _first,
    "torch.autograd.variable.Variable": _first,
    "torch.Size": _size,
    "torch.device": _device,
    "builtins.getattr": _attribute,
    "torch.nn.backends.thnn._get_thnn_function_backend": lambda _: None,  # in each module before torch 1.0
}
