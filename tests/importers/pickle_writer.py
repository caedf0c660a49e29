"""Writes pickles: as Python 2's cPickle wrote dicts of arrays, and step by step, whatever a test wants to say."""

from __future__ import annotations

import struct
import typing

import numpy as np


def python2_pickle(arrays: dict[str, typing.Any]) -> bytes:
    """What `cPickle.dump(arrays, file)` writes in Python 2 (protocol 0): arrays, numbers and texts by name."""
    memo = _Memo()
    out = b"(" + b"d" + memo.put()
    for name, value in arrays.items():
        out += b"S" + repr(name.encode("latin-1"))[1:].encode() + b"\n" + memo.put() + _value(value, memo) + b"s"
    return out + b"."


class _Memo:
    """cPickle counts from 1, and names each class and dtype once."""

    def __init__(self) -> None:
        self.count = 0
        self.known: dict[str, int] = {}

    def put(self) -> bytes:
        self.count += 1
        return f"p{self.count}\n".encode()

    def once(self, key: str, text: bytes) -> bytes:
        if key in self.known:
            return f"g{self.known[key]}\n".encode()
        out = text + self.put()
        self.known[key] = self.count
        return out


def _value(value: typing.Any, memo: _Memo) -> bytes:
    if isinstance(value, np.ndarray):
        return _array(value, memo)
    if isinstance(value, np.generic):
        scalar = memo.once("scalar", b"cnumpy.core.multiarray\nscalar\n")
        return scalar + b"(" + _dtype(value.dtype, memo) + _string(value.tobytes()) + memo.put() + b"tR" + memo.put()
    if isinstance(value, str):
        return _string(value.encode("latin-1")) + memo.put()
    if isinstance(value, float):
        return b"F" + repr(value).encode() + b"\n"
    return b"I" + str(value).encode() + b"\n"


def _array(array: np.ndarray, memo: _Memo) -> bytes:
    out = memo.once("reconstruct", b"cnumpy.core.multiarray\n_reconstruct\n")
    out += b"(" + memo.once("ndarray", b"cnumpy\nndarray\n") + b"(I0\ntS'b'\n" + memo.put() + b"tR" + memo.put()
    shape = b"(" + b"".join(f"I{n}\n".encode() for n in array.shape) + b"t" if array.ndim else b"(t"
    column_major = array.flags.f_contiguous and not array.flags.c_contiguous
    data = array.tobytes("F" if column_major else "C")
    order = b"I01\n" if column_major else b"I00\n"
    return out + b"(I1\n" + shape + _dtype(array.dtype, memo) + order + _string(data) + b"tb"


def _dtype(dtype: np.dtype, memo: _Memo) -> bytes:
    code = dtype.str[1:]
    order = dtype.str[0]
    made = memo.once("dtype", b"cnumpy\ndtype\n") + b"(S'" + code.encode() + b"'\nI0\nI1\ntR"
    if dtype.str in memo.known:
        return f"g{memo.known[dtype.str]}\n".encode()
    out = made + memo.put()
    memo.known[dtype.str] = memo.count
    return out + b"(I3\nS'" + order.encode() + b"'\nNNNI-1\nI-1\nI0\ntb"


def _string(data: bytes) -> bytes:
    return b"S" + repr(data)[1:].encode() + b"\n"  # Python 2 prints strings as Python 3 prints bytes


# Single steps


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def raw(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*steps: bytes) -> bytes:
    return b"(" + b"".join(steps) + b"t"


def numbers(*values: int) -> bytes:
    return tuple_of(*map(number, values))


def call(module: str, attribute: str, *args: bytes) -> bytes:
    return name(module, attribute) + tuple_of(*args) + b"R"


def dict_of(**steps: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in steps.items()) + b"u"


def record(module: str, attribute: str, state: bytes) -> bytes:
    """An instance, made as protocol 2 does, with its attributes."""
    return name(module, attribute) + b")\x81" + state + b"b"


def put(place: int) -> bytes:
    return b"r" + struct.pack("<I", place)


def get(place: int) -> bytes:
    return b"j" + struct.pack("<I", place)


def dtype(code: str = "f4", order: str = "<") -> bytes:
    made = call("numpy", "dtype", text(code), number(0), number(1))
    return made + tuple_of(number(3), text(order), b"N", b"N", b"N", number(-1), number(-1), number(0)) + b"b"


def array(shape: bytes, data: bytes, described: bytes | None = None) -> bytes:
    hollow = call("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), numbers(0), raw(b"b"))
    return hollow + tuple_of(number(1), shape, described or dtype(), b"\x89", data) + b"b"
