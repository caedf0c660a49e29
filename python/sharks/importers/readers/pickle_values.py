"""What a pickle may make: the names it may call, the classes that it may only mention, and what stands for them.

The allow-list is `CONSTRUCTORS`: functions of ours, by the names that pickles call. Classes of third parties become
inert `Record`s. Whatever else Python itself or numpy holds (os.system, builtins.eval, ...) is refused by name.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import typing

import numpy as np
from numpy.typing import NDArray

from ...files.tensorfile import LARGEST_DIMENSION, MOST_DIMENSIONS, short

_Order = typing.Literal["<", ">", "|", "="]
Constructor = typing.Callable[[tuple[typing.Any, ...]], object]

_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections"}
_PYTHON_2_ONLY = frozenset(
    "cPickle cStringIO commands compiler dl exceptions imp new nt os2 popen2 posix posixfile riscos rexec sets"
    " StringIO thread urllib2 urlparse user".split()
)
_ORDERS: dict[str, _Order] = {"<": "<", ">": ">", "|": "|", "=": "="}
_STANDARD = sys.stdlib_module_names | _PYTHON_2_ONLY | {"numpy"}
_DTYPE_CODES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 ?".split())


@dataclasses.dataclass(frozen=True, slots=True)
class Global:
    """A name that a pickle mentions. Nothing is imported for it."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclasses.dataclass(slots=True, eq=False)
class Record:
    """An object of a class that is not ours: what the pickle holds of it, and no behaviour.

    `kind` names the class, `state` is mostly its attributes, `items` and `entries` are the contents of a subclass of
    list or dict.
    """

    kind: Global
    args: tuple[typing.Any, ...] = ()
    state: typing.Any = None
    items: list[typing.Any] = dataclasses.field(default_factory=list)
    entries: dict[typing.Any, typing.Any] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Record of {self.kind}>"

    def set_state(self, state: typing.Any) -> None:
        self.state = state


@dataclasses.dataclass(slots=True)
class DType:
    """A numpy dtype of numbers, as a pickle describes it."""

    code: str
    order: _Order = "="

    def set_state(self, state: typing.Any) -> None:
        """(version, byte order, then what only structures and dates have)."""
        if type(state) is not tuple or not 5 <= len(state) <= 9 or state[2:5] != (None, None, None):
            raise ValueError("describes an array that is not one of numbers")
        self.order = _order(state[1])

    def numpy(self) -> np.dtype[typing.Any]:
        return np.dtype(self.code).newbyteorder(self.order)


def named(module: str, name: str) -> Global:
    """The global in its present spelling: Python 2's and numpy's old modules have new names."""
    module = _PYTHON_2.get(module, module)
    if module == "numpy._core" or module.startswith("numpy._core."):
        module = "numpy.core" + module.removeprefix("numpy._core")
    if (module, name) == ("builtins", "unicode"):
        name = "str"
    if (module, name) == ("builtins", "long"):
        name = "int"
    return Global(module, name)


def is_mentionable(what: Global) -> bool:
    """Whether a pickle may hold this name: a listed one, or any that belongs neither to Python nor to numpy."""
    return str(what) in CONSTRUCTORS or str(what) in _MERE_NAMES or what.module.split(".")[0] not in _STANDARD


def fill(array: NDArray[typing.Any], state: typing.Any) -> None:
    """Give a hollow array of `_reconstruct` its (version, shape, dtype, is column-major, bytes), once.

    The array shares the bytes, unless numpy has to turn them into this machine's byte order.
    """
    if type(state) is not tuple or len(state) != 5 or type(state[2]) is not DType:
        raise ValueError("describes an array in an unknown way")
    if array.shape != (0,) or array.dtype != np.int8:
        raise ValueError("fills an array twice")
    _, shape, dtype, column_major, data = state
    if type(column_major) not in (bool, int):
        raise ValueError("describes an array in an unknown way")
    filled: typing.Any = (1, shape, dtype.numpy(), bool(column_major), _content(dtype, shape, data))
    array.__setstate__(filled)
    array.flags.writeable = False


def _content(dtype: typing.Any, shape: typing.Any, data: typing.Any) -> bytes:
    """The bytes of an array, once they are seen to be as many as dtype and shape say."""
    if type(dtype) is not DType:
        raise ValueError("makes numbers of a dtype that is none")
    if type(shape) is not tuple or len(shape) > MOST_DIMENSIONS or not all(type(n) is int for n in shape):
        raise ValueError("gives an array a shape that is none")
    if not all(0 <= n <= LARGEST_DIMENSION for n in shape):
        raise ValueError("gives an array a shape that cannot be meant")
    content = data.encode("latin-1") if isinstance(data, str) else data
    wanted = math.prod(shape) * dtype.numpy().itemsize
    if type(content) is not bytes or len(content) != wanted:
        got = f"{len(content)} bytes" if isinstance(content, bytes) else kind(content)
        raise ValueError(f"gives an array of shape {short(shape)} {got}, wanted {wanted} bytes")
    return content


def _reconstruct(args: tuple[typing.Any, ...]) -> object:
    array_class, _, _ = taken(args, 3)
    if array_class != Global("numpy", "ndarray"):
        raise ValueError(f"makes an array of {told(array_class)}, wanted numpy.ndarray")
    return np.ndarray((0,), np.int8)


def _scalar(args: tuple[typing.Any, ...]) -> object:
    dtype, data = taken(args, 2)
    return np.frombuffer(_content(dtype, (), data), dtype.numpy())[0]


def _frombuffer(args: tuple[typing.Any, ...]) -> object:
    data, dtype, shape, order = taken(args[:4], 4)
    if order not in ("C", "F"):
        raise ValueError("describes an array in an unknown way")
    flat = np.frombuffer(_content(dtype, shape, data), dtype.numpy())
    return flat.reshape(shape, order="C" if order == "C" else "F")


def _dtype(args: tuple[typing.Any, ...]) -> object:
    code, _, _ = taken(args, 3)
    order: _Order = "="
    if type(code) is str and code[:1] in _ORDERS:
        order, code = _ORDERS[code[0]], code[1:]
    if type(code) is not str or code not in _DTYPE_CODES:
        raise ValueError(f"holds an array of numpy's dtype {told(args[0])}, which is not one of numbers")
    return DType("?" if code == "b1" else code, order)


def _order(name: typing.Any) -> _Order:
    if type(name) is not str or name not in _ORDERS:
        raise ValueError("describes an array in an unknown byte order")
    return _ORDERS[name]


def _encode(args: tuple[typing.Any, ...]) -> object:
    text, encoding = taken(args, 2)
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise ValueError("encodes a text in an unknown way")
    return text.encode("latin-1")


def _bytes(args: tuple[typing.Any, ...]) -> object:
    if not args:
        return b""
    return _encode((args[0], args[1])) if len(args) == 2 else _only(bytes, args)


def _dict(args: tuple[typing.Any, ...]) -> object:
    pairs = args[0] if args else []
    if len(args) > 1 or type(pairs) is not list or not all(type(p) in (list, tuple) and len(p) == 2 for p in pairs):
        raise ValueError("makes a dict of something else than pairs")
    return {hashable(key): value for key, value in pairs}


def _default_dict(args: tuple[typing.Any, ...]) -> object:
    return {}


def _set(args: tuple[typing.Any, ...]) -> object:
    items = _only(list, args) if args else []
    return {hashable(item) for item in items}


def _record(args: tuple[typing.Any, ...]) -> object:
    record_class, _, state = taken(args, 3)
    return Record(_only(Global, (record_class,)), state=state)


def _only(wanted: type[typing.Any], args: tuple[typing.Any, ...]) -> typing.Any:
    (value,) = taken(args, 1)
    if type(value) is not wanted:
        raise ValueError(f"gives {kind(value)}, wanted {wanted.__name__}")
    return value


def hashable(key: typing.Any) -> typing.Any:
    """`key`, if hashing it is cheap, and no file can choose keys of equal hashes.

    That is a text, a number of 60 bits, or what is its own key, as tensors and records are.
    """
    if type(key) is int and abs(key) >= 1 << 60:
        raise ValueError(f"uses {told(key)} as the key of a dict")
    if type(key) in _HASHABLE or type(key).__hash__ is object.__hash__:  # type: ignore[comparison-overlap]
        return key
    raise ValueError(f"uses {told(key)} as the key of a dict")


def taken(args: tuple[typing.Any, ...], count: int) -> tuple[typing.Any, ...]:
    """`args`, once they are seen to be `count`."""
    if len(args) != count:
        raise ValueError(f"calls something with {len(args)} arguments, wanted {count}")
    return args


def told(value: typing.Any) -> str:
    """`value` for a sentence; only what is small, since a nested one may print for ever."""
    if type(value) is Global:
        return short(str(value), quote=not str(value).isprintable())
    return short(value) if type(value) in (str, int, float) else kind(value)


def kind(value: typing.Any) -> str:
    """What sort of thing it is, for a sentence."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" or name == "ndarray" else f"a {name}"


def cost(args: typing.Any) -> int:
    """The bytes that may be made of arguments: texts are encoded, bytes turned round, lists of pairs become dicts."""
    if type(args) is not tuple or len(args) > _MOST_ARGUMENTS:
        raise ValueError(f"calls something with more than {_MOST_ARGUMENTS} arguments")
    texts = sum(len(arg) for arg in args if type(arg) is str)
    turned = any(type(arg) is DType and not arg.numpy().isnative for arg in args)
    copies = sum(len(arg) for arg in args if type(arg) is bytes) if turned else 0
    return texts + copies + _ITEM_COST * sum(len(arg) for arg in args if type(arg) is list)


_HASHABLE = (str, int, float, bool, bytes, type(None), Global)
_MOST_ARGUMENTS = 16
_ITEM_COST = 128

CONSTRUCTORS: dict[str, Constructor] = {
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encode,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "collections.OrderedDict": _dict,
    "collections.defaultdict": _default_dict,
    "copyreg._reconstructor": _record,
}
_MERE_NAMES = frozenset(
    ["numpy.ndarray", "argparse.Namespace", "copyreg.__newobj__"]
    + [f"builtins.{n}" for n in "object list dict tuple int float complex bool str".split()]
    + [f"numpy.{n}" for n in "bool_ int8 int16 int32 int64 uint8 float16 float32 float64".split()]
)
