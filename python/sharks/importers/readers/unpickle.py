"""Python pickles, of protocols 0 to 5, read without ever running what they say.

A pickle is a program for a small stack machine, and Python's own machine imports and calls whatever the program names.
This one is written out here instead: it makes numbers, texts, lists, tuples, dicts, sets and numpy arrays of numbers,
and inert `Record`s in place of other objects. It imports nothing and calls nothing but `CONSTRUCTORS`. Python 2's byte
strings become texts (Latin-1) where they are short; long ones are the contents of arrays, and stay bytes.

Bounded: the number of steps, the memory (`CheckpointFile.charge`), the size of whole numbers, the depth of nesting.
Structures that contain themselves are refused. Each refusal is one `PackError` sentence.
"""

from __future__ import annotations

import os
import typing

import numpy as np

from ...errors import PackError
from ...files.tensorfile import short
from .checkpoint_file import CheckpointFile
from .pickle_source import PickleSource
from .pickle_structure import check_structure
from .pickle_values import (
    CONSTRUCTORS,
    Constructor,
    Global,
    Record,
    cost,
    fill,
    hashable,
    is_mentionable,
    kind,
    named,
    told,
)

__all__ = ["Global", "Record", "Unpickler", "read_pickle"]

MOST_STEPS = 500_000
_STEP_COST = 256  # bytes of memory that any step may take, beside the texts and bytes that it reads
_LONGEST_TEXT = 1 << 12  # of Python 2's byte strings: longer ones are an array's contents
_REFUSED = "refused, since it could run code; use another checkpoint"
_MANGLED = "copy or download it again, in binary mode"
_CONFUSION = (TypeError, IndexError, KeyError, AttributeError, OverflowError)

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
        self.source = PickleSource(file, stream)
        self._file = file
        self._constructors = {**CONSTRUCTORS, **(constructors or {})}
        self._persistent = persistent
        self._stack: list[typing.Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, typing.Any] = {}

    def load(self) -> typing.Any:
        """The object. Raises `PackError`."""
        try:
            for _ in range(MOST_STEPS):
                code = self.source.code()
                if code == b".":
                    value = self.pop()
                    check_structure(value)
                    return value
                step = _STEPS.get(code)
                if step is None:
                    raise ValueError(f"has the unknown instruction {code!r}" if code else "ends early")
                self._file.charge(_STEP_COST)
                step(self)
            raise ValueError(f"takes more than {MOST_STEPS} steps, which no checkpoint needs")
        except PackError:
            raise
        except UnicodeError:
            raise self._file.error("the pickle in it has a text that cannot be decoded", _MANGLED) from None
        except ValueError as error:
            raise self._file.error(f"the pickle in it {error}", _MANGLED) from None
        except _CONFUSION as error:
            raise self._file.error(f"the pickle in it makes no sense ({short(error, quote=False)})", _MANGLED) from None

    # The stack and the memo

    def push(self, value: typing.Any) -> None:
        self._stack.append(value)

    def pop(self) -> typing.Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise ValueError("takes from an empty stack")
        return self._stack.pop()

    def top(self) -> typing.Any:
        value = self.pop()
        self._stack.append(value)
        return value

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def pop_mark(self) -> list[typing.Any]:
        """What lies above the last mark."""
        if not self._marks:
            raise ValueError("closes what it has not opened")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def drop(self) -> None:
        """Python 2 drops marks as it drops values."""
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self.pop()

    def put(self, place: int | None = None) -> None:
        if place is None:
            place = len(self._memo)
        if not 0 <= place < 1 << 32:
            raise ValueError(f"has a memo of {place} places")
        self._memo[place] = self.top()

    def get(self, place: int) -> None:
        if place not in self._memo:
            raise ValueError(f"asks for number {place} of its memo, which is not there")
        self.push(self._memo[place])

    # Values

    def protocol(self) -> None:
        version = self.source.number("<B")
        if version > 5:
            raise ValueError(f"is of protocol {version}, wanted 5 at most")

    def frame(self) -> None:
        """A frame's length is of use to faster readers only."""
        self.source.take(8)

    def decimal(self) -> None:
        """A whole number, or a truth value in a spelling that no number has."""
        line = self.source.line()
        truth = {b"00": False, b"01": True}.get(line)
        self.push(self.source.whole(line) if truth is None else truth)

    def old_string(self, data: bytes) -> None:
        self.push(data.decode("latin-1") if len(data) <= _LONGEST_TEXT else data)

    def pop_tuple(self, length: int) -> None:
        items = [self.pop() for _ in range(length)]
        self.push(tuple(reversed(items)))

    def append(self, items: list[typing.Any]) -> None:
        target = self.top()
        if type(target) is Record:
            target = target.items
        if type(target) is set:
            target.update(map(hashable, items))
        elif type(target) is list:
            target += items
        else:
            raise ValueError(f"appends to {kind(target)}")

    def set_items(self, items: list[typing.Any]) -> None:
        target = self.top()
        if type(target) is Record:
            target = target.entries
        if type(target) is not dict:
            raise ValueError(f"sets pairs of {kind(target)}")
        target.update(_dict(items))

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    # Classes and calls

    def mention(self, module: typing.Any, name: typing.Any) -> Global:
        """The name, if it may be mentioned at all."""
        if type(module) is not str or type(name) is not str:
            raise ValueError("names a class by something else than texts")
        what = named(module, name)
        if str(what) not in self._constructors and not is_mentionable(what):
            raise self._refusal(what)
        return what

    def _refusal(self, what: Global) -> PackError:
        return self._file.error(f"holds {told(what)}, which is no array", _REFUSED)

    def line_global(self) -> None:
        self.push(self.mention(self.source.name(), self.source.name()))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.push(self.mention(module, name))

    def call(self, what: typing.Any, args: typing.Any) -> None:
        """Make what an allowed name makes; refuse all others."""
        if type(what) is not Global or type(args) is not tuple:
            raise ValueError(f"calls {kind(what)}")
        if what == Global("copyreg", "__newobj__") and args:
            return self.instance(args[0], args[1:])
        constructor = self._constructors.get(str(what))
        if constructor is None:
            raise self._refusal(what)
        self._file.charge(cost(args))
        self.push(constructor(args))

    def instance(self, what: typing.Any, args: typing.Any) -> None:
        """An object whose class is told but not run."""
        if type(what) is not Global or type(args) is not tuple:
            raise ValueError(f"makes an object of {kind(what)}")
        if str(what) in self._constructors:
            self.call(what, args)
        else:
            self.push(Record(what, args))

    def old_instance(self, what: typing.Any, args: list[typing.Any]) -> None:
        """Python 2's old way, which calls the class whenever there are arguments."""
        if args:
            self.call(what, tuple(args))
        else:
            self.instance(what, ())

    def named_instance(self) -> None:
        what = self.mention(self.source.name(), self.source.name())
        self.old_instance(what, self.pop_mark())

    def marked_instance(self) -> None:
        items = self.pop_mark()
        self.old_instance(items[0], items[1:])

    def reduce(self) -> None:
        args, what = self.pop(), self.pop()
        self.call(what, args)

    def new(self) -> None:
        args, what = self.pop(), self.pop()
        self.instance(what, args)

    def new_with_names(self) -> None:
        if self.pop():
            raise ValueError("makes an object with named arguments")
        self.new()

    def build(self) -> None:
        state, target = self.pop(), self.top()
        if type(target) is np.ndarray:
            self._file.charge(cost(state))
            fill(target, state)
        elif hasattr(target, "set_state"):
            target.set_state(state)
        elif type(target) is not dict:  # an ordered dict's attributes are of no use here
            raise ValueError(f"gives attributes to {kind(target)}")

    def persistent(self, name: typing.Any) -> None:
        if self._persistent is None:
            raise ValueError("refers to something outside it")
        self.push(self._persistent(name))


def _dict(items: list[typing.Any]) -> dict[typing.Any, typing.Any]:
    if len(items) % 2:
        raise ValueError("makes a dict of half a pair")
    return {hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


_STEPS: dict[bytes, typing.Callable[[Unpickler], None]] = {
    b"\x80": Unpickler.protocol,
    b"\x95": Unpickler.frame,
    b"(": Unpickler.mark,
    b"0": Unpickler.drop,
    b"1": lambda m: m.pop_mark().clear(),
    b"2": lambda m: m.push(m.top()),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": Unpickler.decimal,
    b"L": lambda m: m.push(m.source.decimal()),
    b"J": lambda m: m.push(m.source.number("<i")),
    b"K": lambda m: m.push(m.source.number("<B")),
    b"M": lambda m: m.push(m.source.number("<H")),
    b"\x8a": lambda m: m.push(m.source.integer("<B")),
    b"\x8b": lambda m: m.push(m.source.integer("<i")),
    b"F": lambda m: m.push(m.source.real()),
    b"G": lambda m: m.push(m.source.number(">d")),
    b"S": lambda m: m.old_string(m.source.quoted()),
    b"T": lambda m: m.old_string(m.source.payload("<i")),
    b"U": lambda m: m.old_string(m.source.payload("<B")),
    b"V": lambda m: m.push(m.source.unicode_line()),
    b"X": lambda m: m.push(m.source.unicode("<I")),
    b"\x8c": lambda m: m.push(m.source.unicode("<B")),
    b"\x8d": lambda m: m.push(m.source.unicode("<Q")),
    b"B": lambda m: m.push(m.source.payload("<I")),
    b"C": lambda m: m.push(m.source.payload("<B")),
    b"\x8e": lambda m: m.push(m.source.payload("<Q")),
    b"\x96": lambda m: m.push(m.source.payload("<Q")),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.pop_mark())),
    b"\x85": lambda m: m.pop_tuple(1),
    b"\x86": lambda m: m.pop_tuple(2),
    b"\x87": lambda m: m.pop_tuple(3),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.pop_mark()),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.pop_mark()),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.push(_dict(m.pop_mark())),
    b"s": Unpickler.set_item,
    b"u": lambda m: m.set_items(m.pop_mark()),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": lambda m: m.append(m.pop_mark()),
    b"\x91": lambda m: m.push(set(map(hashable, m.pop_mark()))),
    b"p": lambda m: m.put(m.source.decimal()),
    b"q": lambda m: m.put(m.source.number("<B")),
    b"r": lambda m: m.put(m.source.number("<I")),
    b"\x94": Unpickler.put,
    b"g": lambda m: m.get(m.source.decimal()),
    b"h": lambda m: m.get(m.source.number("<B")),
    b"j": lambda m: m.get(m.source.number("<I")),
    b"c": Unpickler.line_global,
    b"\x93": Unpickler.stack_global,
    b"R": Unpickler.reduce,
    b"b": Unpickler.build,
    b"i": Unpickler.named_instance,
    b"o": Unpickler.marked_instance,
    b"\x81": Unpickler.new,
    b"\x92": Unpickler.new_with_names,
    b"P": lambda m: m.persistent(m.source.name()),
    b"Q": lambda m: m.persistent(m.pop()),
}
