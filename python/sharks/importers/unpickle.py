"""Python pickles, of protocols 0 to 5, read without ever running what they say.

A pickle is a program for a small stack machine, and Python's own machine imports and calls whatever the program names.
This one is written out here instead: it makes numbers, texts, lists, tuples, dicts, sets and numpy arrays of numbers,
and inert `Record`s in place of other objects. It imports nothing and calls nothing but `CONSTRUCTORS`. Python 2's byte
strings become texts (Latin-1) where they are short; long ones are the contents of arrays, and stay bytes.

Bounded: the number of steps, the memory (`CheckpointFile.charge`), the size of whole numbers, the depth of nesting.
Structures that contain themselves are refused. Each refusal is one `PackError` sentence.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import struct
import typing

import numpy as np

from ..errors import PackError
from ..tensorfile import short
from .checkpoint_file import CheckpointFile
from .pickle_values import CONSTRUCTORS, Constructor, Global, Record, fill, hashable, is_mentionable, named

__all__ = ["Global", "Record", "Unpickler", "read_pickle"]

MOST_STEPS = 500_000
MOST_DEPTH = 200
_STEP_COST = 160  # bytes of memory that any step may take, beside the texts and bytes that it reads
_LONGEST_TEXT = 1 << 12  # of Python 2's byte strings: longer ones are an array's contents
_LONGEST_LINE = 1 << 10
_MOST_INTEGER_BYTES = 64
_CHUNK = 1 << 20

_INTEGER = re.compile(rb"-?\d{1,154}L?")
_NO_ESCAPE = re.compile(rb"""\\(?!['"nrt]|x[0-9a-fA-F]{2})""")  # once pairs of backslashes are gone
_WIDE_ESCAPE = re.compile(rb"\\u(?!00)|\\U")
_REFUSED = "refused, since it could run code; use another checkpoint"
_MANGLED = "copy or download it again, in binary mode"

Persistent = typing.Callable[[typing.Any], object]


def read_pickle(path: str | os.PathLike[str]) -> typing.Any:
    """What the pickle in this file holds. Raises `PackError`, one sentence, where it cannot or must not be read."""
    with CheckpointFile(path) as file:
        value = Unpickler(file, file.stream).load()
        if file.stream.read(1):
            raise file.error("goes on after the end of its pickle", _MANGLED)
        return value


class Unpickler:
    """Reads one pickle from `stream`, a part of `file`, up to its end.

    `constructors` are allowed beside the usual ones; `persistent` makes what a persistent id stands for.
    """

    def __init__(
        self,
        file: CheckpointFile,
        stream: typing.BinaryIO,
        constructors: typing.Mapping[str, Constructor] | None = None,
        persistent: Persistent | None = None,
    ) -> None:
        self._file = file
        self._stream = stream
        self._constructors = {**CONSTRUCTORS, **(constructors or {})}
        self._persistent = persistent
        self._stack: list[typing.Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, typing.Any] = {}

    def load(self) -> typing.Any:
        """The object. Raises `PackError`."""
        try:
            for _ in range(MOST_STEPS):
                code = self._stream.read(1)
                if code == b".":
                    value = self._pop()
                    _check_structure(value)
                    return value
                step = _STEPS.get(code)
                if step is None:
                    raise ValueError(f"has the unknown instruction {code!r}" if code else "ends early")
                self._file.charge(_STEP_COST)
                step(self)
            raise ValueError(f"takes more than {MOST_STEPS} steps, which no checkpoint needs")
        except PackError:
            raise
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, struct.error) as error:
            raise self._file.error(f"the pickle in it {short(error, quote=False)}", _MANGLED) from None

    # Reading

    def _take(self, length: int) -> bytes:
        if not 0 <= length <= self._file.size:
            raise ValueError(f"has a part of {length} bytes, the file has {self._file.size}")
        data = self._stream.read(length)
        if len(data) != length:
            raise ValueError("ends early")
        return data

    def _number(self, form: str) -> typing.Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> bytes:
        line = self._stream.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("has a line without end")
        return line[:-1]

    def _payload(self, form: str) -> bytes:
        """Bytes behind their length; they are charged, and whoever does not keep them gives them back."""
        length = self._number(form)
        if length > self._file.size:
            raise ValueError(f"has a part of {length} bytes, the file has {self._file.size}")
        self._file.charge(length)
        return self._take(length)

    # The stack

    def _push(self, value: typing.Any) -> None:
        self._stack.append(value)

    def _pop(self) -> typing.Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise ValueError("takes from an empty stack")
        return self._stack.pop()

    def _top(self) -> typing.Any:
        value = self._pop()
        self._stack.append(value)
        return value

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _pop_mark(self) -> list[typing.Any]:
        if not self._marks:
            raise ValueError("closes what it has not opened")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    # Plain values

    def _integer(self) -> None:
        line = self._line()
        self._push(line == b"01" if line in (b"00", b"01") else _integer(line))

    def _long(self, form: str) -> None:
        length = self._number(form)
        if not 0 <= length <= _MOST_INTEGER_BYTES:
            raise ValueError(f"has a whole number of {length} bytes, wanted {_MOST_INTEGER_BYTES} at most")
        self._push(int.from_bytes(self._take(length), "little", signed=True))

    def _old_string(self, form: str) -> None:
        self._push(_text(self._payload(form)))

    def _quoted_string(self) -> None:
        self._push(_text(self._unquoted()))

    def _unquoted(self) -> bytes:
        """A byte string as Python 2 prints it, to the end of the line, a piece at a time."""
        made = io.BytesIO()
        piece = self._stream.readline(_CHUNK)
        quote, rest = piece[:1], piece[1:]
        if quote not in (b"'", b'"'):
            raise ValueError("has a string without quotes")
        while not rest.endswith(b"\n"):
            whole = _length_of_whole_escapes(rest)
            made.write(self._unescaped(rest[:whole]))
            piece = self._stream.readline(_CHUNK)
            if not piece:
                raise ValueError("has a line without end")
            rest = rest[whole:] + piece
        if rest[-2:-1] != quote:
            raise ValueError("has a string without quotes")
        made.write(self._unescaped(rest[:-2]))
        return made.getvalue()

    def _unescaped(self, data: bytes) -> bytes:
        if _NO_ESCAPE.search(data.replace(b"\\\\", b"  ")):
            raise ValueError("has a string with an unknown escape")
        self._file.charge(len(data))
        made = codecs.escape_decode(data)[0]
        self._file.charge(len(made) - len(data))
        return made

    def _unicode_line(self) -> None:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise ValueError("has a line without end")
        width = 4 if _WIDE_ESCAPE.search(line) else 1
        self._file.charge((1 + width) * len(line))
        self._push(line[:-1].decode("raw-unicode-escape"))
        self._file.charge(-len(line))

    def _unicode(self, form: str) -> None:
        data = self._payload(form)
        lead = max(data, default=0)
        width = 4 if lead >= 0xF0 else 2 if lead >= 0xC4 else 1
        self._file.charge(width * len(data))
        self._push(data.decode("utf-8", "surrogatepass"))
        self._file.charge(-len(data))

    # Containers

    def _tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(items)))

    def _add_items(self, items: list[typing.Any]) -> None:
        target = self._top()
        if isinstance(target, Record):
            target = target.items
        if type(target) is set:
            target.update(map(hashable, items))
        elif type(target) is list:
            target += items
        else:
            raise ValueError(f"appends to a {type(target).__name__}")

    def _set_items(self, items: list[typing.Any]) -> None:
        target = self._top()
        if isinstance(target, Record):
            target = target.entries
        if type(target) is not dict or len(items) % 2:
            raise ValueError(f"sets pairs of a {type(target).__name__}")
        target.update(_dict(items))

    # The memo

    def _put(self, place: int) -> None:
        self._memo[place] = self._top()

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise ValueError(f"asks for number {place} of its memo, which is not there")
        self._push(self._memo[place])

    # Classes and calls

    def _mention(self, module: typing.Any, name: typing.Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise ValueError("names a class by something else than texts")
        what = named(module, name)
        if str(what) not in self._constructors and not is_mentionable(what):
            raise self._refusal(what)
        self._push(what)

    def _refusal(self, what: typing.Any) -> PackError:
        return self._file.error(f"holds {short(what, quote=False)}, which is no array", _REFUSED)

    def _call(self, what: typing.Any, args: typing.Any) -> None:
        """Make what an allowed name makes; refuse all others."""
        if type(what) is not Global or type(args) is not tuple:
            raise ValueError(f"calls a {type(what).__name__}")
        if what == Global("copyreg", "__newobj__") and args:
            return self._instance(args[0], args[1:])
        constructor = self._constructors.get(str(what))
        if constructor is None:
            raise self._refusal(what)
        try:
            self._push(constructor(args))
        except (TypeError, IndexError) as error:
            raise ValueError(f"gives {what} arguments that it does not take ({error})") from None

    def _instance(self, kind: typing.Any, args: typing.Any) -> None:
        """An object whose class is told but not run."""
        if type(kind) is not Global or type(args) is not tuple:
            raise ValueError(f"makes an object of a {type(kind).__name__}")
        if str(kind) in self._constructors:
            return self._call(kind, args)
        self._push(Record(kind, args))

    def _old_instance(self, kind: typing.Any, args: list[typing.Any]) -> None:
        """Python 2's old way, which calls the class whenever there are arguments."""
        if args:
            return self._call(kind, tuple(args))
        self._instance(kind, ())

    def _object(self) -> None:
        items = self._pop_mark()
        self._old_instance(items[0], items[1:])

    def _named_instance(self) -> None:
        self._mention(self._name(), self._name())
        kind = self._pop()
        self._old_instance(kind, self._pop_mark())

    def _name(self) -> str:
        return self._line().decode("utf-8")

    def _global(self) -> None:
        self._mention(self._name(), self._name())

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._mention(module, name)

    def _reduce(self) -> None:
        args, what = self._pop(), self._pop()
        self._call(what, args)

    def _new(self) -> None:
        args, kind = self._pop(), self._pop()
        self._instance(kind, args)

    def _new_with_names(self) -> None:
        names, args, kind = self._pop(), self._pop(), self._pop()
        if names:
            raise ValueError("makes an object with named arguments")
        self._instance(kind, args)

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if isinstance(target, np.ndarray):
            fill(target, state)
        elif type(target) is not dict:  # an ordered dict's attributes are of no use here
            target.set_state(state)

    def _persistent_id(self, name: typing.Any) -> None:
        if self._persistent is None:
            raise ValueError("refers to something outside it")
        self._push(self._persistent(name))


def _integer(line: bytes) -> int:
    if not _INTEGER.fullmatch(line):
        raise ValueError(f"has {short(line)} for a whole number")
    return int(line.rstrip(b"L"))


def _text(data: bytes) -> str | bytes:
    return data.decode("latin-1") if len(data) <= _LONGEST_TEXT else data


def _float(line: bytes) -> float:
    if len(line) > 40:
        raise ValueError("has an overlong number")
    return float(line)


def _dict(items: list[typing.Any]) -> dict[typing.Any, typing.Any]:
    if len(items) % 2:
        raise ValueError("makes a dict of half a pair")
    return {hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _length_of_whole_escapes(data: bytes) -> int:
    """How much of `data` can be unescaped without knowing what follows."""
    at = data.rfind(b"\\", max(0, len(data) - 3))
    if at < 0:
        return len(data)
    start = at
    while start > 0 and data[start - 1 : start] == b"\\":
        start -= 1
    if (at - start) % 2:  # the last backslash is itself escaped
        return len(data)
    return at if at + (4 if data[at + 1 : at + 2] == b"x" else 2) > len(data) else len(data)


def _check_structure(value: typing.Any) -> None:
    """Refuse what contains itself, or nests too deeply, so that nobody who walks it can be led astray."""
    heights: dict[int, int] = {}
    path: list[tuple[typing.Any, typing.Iterator[typing.Any], int]] = [(value, iter(_inside(value)), 0)]
    open_ids = {id(value)}
    while path:
        node, rest, height = path[-1]
        for child in rest:
            if type(child) not in _CONTAINERS:
                continue
            if id(child) in open_ids:
                raise ValueError("holds something that contains itself, which no checkpoint needs")
            if id(child) in heights:
                height = max(height, heights[id(child)] + 1)
                continue
            path[-1] = (node, rest, height)
            path.append((child, iter(_inside(child)), 0))
            open_ids.add(id(child))
            break
        else:
            path.pop()
            open_ids.discard(id(node))
            heights[id(node)] = height
            if path:
                path[-1] = (*path[-1][:2], max(path[-1][2], height + 1))
        if len(path) > MOST_DEPTH or height > MOST_DEPTH:
            raise ValueError(f"is nested more than {MOST_DEPTH} deep, which no checkpoint needs")


_CONTAINERS = (dict, list, tuple, Record)


def _inside(value: typing.Any) -> typing.Iterable[typing.Any]:
    if type(value) is dict:
        return value.values()
    if type(value) is Record:
        return (value.args, value.state, value.items, value.entries)
    return value if type(value) in (list, tuple) else ()


_Step = typing.Callable[[Unpickler], None]


def _proto(machine: Unpickler) -> None:
    version = machine._take(1)[0]
    if version > 5:
        raise ValueError(f"is of protocol {version}, wanted 5 at most")


def _pop_or_unmark(machine: Unpickler) -> None:
    if machine._marks and machine._marks[-1] == len(machine._stack):
        machine._pop_mark()
    else:
        machine._pop()


_STEPS: dict[bytes, _Step] = {
    b"\x80": _proto,
    b"\x95": lambda m: m._take(8) and None,  # a frame's length, of use to faster readers only
    b"(": Unpickler._mark,
    b"0": _pop_or_unmark,
    b"1": lambda m: m._pop_mark() and None,
    b"2": lambda m: m._push(m._top()),
    b"N": lambda m: m._push(None),
    b"\x88": lambda m: m._push(True),
    b"\x89": lambda m: m._push(False),
    b"I": Unpickler._integer,
    b"L": lambda m: m._push(_integer(m._line())),
    b"J": lambda m: m._push(m._number("<i")),
    b"K": lambda m: m._push(m._number("<B")),
    b"M": lambda m: m._push(m._number("<H")),
    b"\x8a": lambda m: m._long("<B"),
    b"\x8b": lambda m: m._long("<i"),
    b"F": lambda m: m._push(_float(m._line())),
    b"G": lambda m: m._push(m._number(">d")),
    b"S": Unpickler._quoted_string,
    b"T": lambda m: m._old_string("<I"),
    b"U": lambda m: m._old_string("<B"),
    b"V": Unpickler._unicode_line,
    b"X": lambda m: m._unicode("<I"),
    b"\x8c": lambda m: m._unicode("<B"),
    b"\x8d": lambda m: m._unicode("<Q"),
    b"B": lambda m: m._push(m._payload("<I")),
    b"C": lambda m: m._push(m._payload("<B")),
    b"\x8e": lambda m: m._push(m._payload("<Q")),
    b"\x96": lambda m: m._push(m._payload("<Q")),
    b")": lambda m: m._push(()),
    b"t": lambda m: m._push(tuple(m._pop_mark())),
    b"\x85": lambda m: m._tuple(1),
    b"\x86": lambda m: m._tuple(2),
    b"\x87": lambda m: m._tuple(3),
    b"]": lambda m: m._push([]),
    b"l": lambda m: m._push(m._pop_mark()),
    b"a": lambda m: m._add_items([m._pop()]),
    b"e": lambda m: m._add_items(m._pop_mark()),
    b"}": lambda m: m._push({}),
    b"d": lambda m: m._push(_dict(m._pop_mark())),
    b"s": lambda m: m._set_items([m._pop(), m._pop()][::-1]),
    b"u": lambda m: m._set_items(m._pop_mark()),
    b"\x8f": lambda m: m._push(set()),
    b"\x90": lambda m: m._add_items(m._pop_mark()),
    b"\x91": lambda m: m._push(set(map(hashable, m._pop_mark()))),
    b"p": lambda m: m._put(_integer(m._line())),
    b"q": lambda m: m._put(m._number("<B")),
    b"r": lambda m: m._put(m._number("<I")),
    b"\x94": lambda m: m._put(len(m._memo)),
    b"g": lambda m: m._get(_integer(m._line())),
    b"h": lambda m: m._get(m._number("<B")),
    b"j": lambda m: m._get(m._number("<I")),
    b"c": Unpickler._global,
    b"\x93": Unpickler._stack_global,
    b"R": Unpickler._reduce,
    b"b": Unpickler._build,
    b"i": Unpickler._named_instance,
    b"o": Unpickler._object,
    b"\x81": Unpickler._new,
    b"\x92": Unpickler._new_with_names,
    b"P": lambda m: m._persistent_id(m._name()),
    b"Q": lambda m: m._persistent_id(m._pop()),
}
