"""Pickles that ask for what they must not have, each with what its sentence says."""

from __future__ import annotations

import numpy as np

from importers import pickle_writer as w

# Calls of what is no array: by name, and by every instruction that can name a class

REFUSED = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "posix.system": b"cposix\nsystem\n(S'true'\ntR.",
    "nt.system": b"cnt\nsystem\n(S'true'\ntR.",
    "builtins.eval": b"c__builtin__\neval\n(S'1'\ntR.",
    "builtins.exec": b"cbuiltins\nexec\n(S'1'\ntR.",
    "builtins.__import__": b"c__builtin__\n__import__\n(S'os'\ntR.",
    "builtins.getattr": b"c__builtin__\ngetattr\n(cnumpy\nndarray\nS'dtype'\ntR.",
    "builtins.file": b"c__builtin__\nfile\n(S'x'\nS'w'\ntR.",
    "builtins.apply": b"c__builtin__\napply\n.",
    "subprocess.Popen": b"csubprocess\nPopen\n(S'true'\ntR.",
    "commands.getoutput": b"ccommands\ngetoutput\n(S'true'\ntR.",
    "functools.partial": b"cfunctools\npartial\n.",
    "operator.attrgetter": b"coperator\nattrgetter\n(S'system'\ntR.",
    "types.CodeType": b"ctypes\nCodeType\n.",
    "marshal.loads": b"cmarshal\nloads\n.",
    "pickle.loads": b"cpickle\nloads\n(S'.'\ntR.",
    "cPickle.loads": b"ccPickle\nloads\n(S'.'\ntR.",
    "_codecs.decode": b"c_codecs\ndecode\n.",
    "copyreg.add_extension": b"ccopy_reg\nadd_extension\n.",
    "collections.abc": b"ccollections\nabc\n.",
    "numpy.load": b"cnumpy\nload\n(S'x'\ntR.",
    "numpy.core.multiarray.fromfile": b"cnumpy.core.multiarray\nfromfile\n.",
    "numpy.testing._private.utils.runstring": b"cnumpy.testing._private.utils\nrunstring\n.",
    "numpy.matrix": b"cnumpy\nmatrix\n.",
    "torch.load": b"ctorch\nload\n(S'x'\ntR.",
    "torch.storage._load_from_bytes": b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR.",
    "mine.f": b"cmine\nf\n(S'x'\ntR.",
    "__main__.f": b"c__main__\nf\n(tR.",
}


EVIL_WAYS = {
    "GLOBAL REDUCE": b"cos\nsystem\n(S'true'\ntR.",
    "STACK_GLOBAL": w.text("os") + w.text("system") + b"\x93" + w.tuple_of(w.text("true")) + b"R.",
    "INST": b"(S'true'\nios\nsystem\n.",
    "INST without arguments": b"(ios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "NEWOBJ": b"cos\nsystem\n(S'true'\nt\x81.",
    "NEWOBJ_EX": b"cos\nsystem\n(S'true'\nt}\x92.",
    "__newobj__": b"ccopyreg\n__newobj__\n(cos\nsystem\nS'true'\ntR.",
    "_reconstructor": b"ccopyreg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
    "mere mention": b"cos\nsystem\n.",
    "made and dropped": b"cos\nsystem\n(S'true'\ntR0I1\n.",
    "in the memo": b"cos\nsystem\np1\n0I1\n.",
    "in a state": w.record("models", "Net", w.dict_of(__setstate__=b"cos\nsystem\n")) + b".",
    "as a default": b"ccollections\ndefaultdict\n(cos\nsystem\ntR.",
    "dotted": b"cos\npath.os.system\n(S'true'\ntR.",
    "behind good weights": w.python2_pickle({"a": np.ones((2, 3), np.float32)})[:-1] + b"cos\nsystem\n(S'true'\ntR0.",
}


# Damage, and values that cannot be

WRONG = {
    "empty": (b"", "ends early"),
    "no end": (b"I1\n", "ends early"),
    "unknown instruction": (b"\xff.", "unknown instruction"),
    "extension": (b"\x82\x01.", "unknown instruction"),
    "buffer": (b"\x97.", "unknown instruction"),
    "persistent id": (b"Pabc\n.", "refers to something outside"),
    "protocol 9": (b"\x80\x09.", "is of protocol 9, wanted 5"),
    "another behind": (b"I1\n.I2\n.", "goes on after the end"),
    "empty stack": (b".", "takes from an empty stack"),
    "stack below a mark": (b"I1\n(0R.", "takes from an empty stack"),
    "mark without": (b"t.", "closes what it has not opened"),
    "memo": (b"h\x07.", "asks for number 7 of its memo"),
    "memo far away": (b"I1\np99999999999\n.", "has a memo of 99999999999 places"),
    "negative memo": (b"I1\np-1\n.", "has a memo of -1 places"),
    "half a pair": (b"}(I1\nu.", "half a pair"),
    "append to a number": (b"I1\nI2\na.", "appends to an int"),
    "pairs of a list": (b"](I1\nI2\nu.", "sets pairs of a list"),
    "call of a text": (b"S'os'\n(tR.", "calls a str"),
    "state of a text": (b"S'os'\n}b.", "gives attributes to a str"),
    "number with letters": (b"Ix\n.", "for a whole number"),
    "number with a gap": (b"I1_0\n.", "for a whole number"),
    "endless number": (b"I" + b"1" * 5000 + b"\n.", "line without end"),
    "long number": (b"L" + b"1" * 200 + b"L\n.", "for a whole number"),
    "number of 255 bytes": (b"\x8a\xff" + b"\x01" * 255 + b".", "a whole number of 255 bytes"),
    "number of negative bytes": (b"\x8b\xff\xff\xff\xff.", "a whole number of -1 bytes"),
    "number of 2 GB": (b"\x8b\xff\xff\xff\x7f.", "a whole number of 2147483647 bytes"),
    "wrong float": (b"Fone\n.", "for a number"),
    "long float": (b"F" + b"1" * 500 + b"\n.", "for a number"),
    "no quotes": (b"Sabc\n.", "string without quotes"),
    "one quote": (b"S'abc\n.", "string without quotes"),
    "carriage return": (b"S'abc'\r\n.", "string without quotes"),
    "unknown escape": (b"S'\\q'\n.", "unknown escape"),
    "half an escape": (b"S'\\x4'\n.", "unknown escape"),
    "escaped quote": (b"S'\\'\n.", "unknown escape"),
    "endless string": (b"S'abc", "line without end"),
    "negative string": (b"T\xff\xff\xff\xff.", "a part of -1 bytes"),
    "string of 2 GB": (b"T\xff\xff\xff\x7f.", "asks for more than"),
    "text of 4 GB": (b"X\xff\xff\xff\xff.", "asks for more than"),
    "bytes without measure": (b"\x8e" + b"\xff" * 8 + b".", "asks for more than"),
    "no UTF-8": (b"X\x01\x00\x00\x00\xff.", "cannot be decoded"),
    "wrong unicode escape": (b"V\\u12\n.", "cannot be decoded"),
    "name of a number": (b"I1\nI2\n\x93.", "by something else than texts"),
    "tuple as a key": (b"})I1\ns.", "uses a tuple as the key"),
    "list as a key": (b"}(]I1\nu.", "uses a list as the key"),
    "huge key": (b"}(" + w.number(1 << 60) + b"I1\nu.", "as the key"),
    "array of objects": (w.array(w.numbers(1), b"(I1\nl", w.dtype("O8", "|")) + b".", "dtype 'O8', which is not one"),
    "array of texts": (w.dtype("S5", "|") + b".", "dtype 'S5', which is not one"),
    "structured array": (
        w.call("numpy", "dtype", w.text("f4"), w.number(0), w.number(1))
        + w.tuple_of(w.number(3), w.text("<"), b"N", w.tuple_of(w.text("x")), b"N")
        + b"b.",
        "is not one of numbers",
    ),
    "unknown byte order": (w.dtype("f4", "!") + b".", "unknown byte order"),
    "too few bytes": (w.array(w.numbers(3), w.raw(b"1234")) + b".", "shape (3,) 4 bytes, wanted 12 bytes"),
    "too many bytes": (w.array(w.numbers(0), w.raw(b"1234")) + b".", "4 bytes, wanted 0"),
    "huge shape": (w.array(w.numbers(1 << 40, 1 << 40), w.raw(b"")) + b".", "wanted 4835703278458516698824704 bytes"),
    "shape beyond numbers": (w.array(w.numbers(1 << 90), w.raw(b"")) + b".", "a shape that cannot be meant"),
    "negative shape": (w.array(w.numbers(-1), w.raw(b"")) + b".", "a shape that cannot be meant"),
    "negative pair": (w.array(w.numbers(-1, -4), w.raw(b"1" * 16)) + b".", "a shape that cannot be meant"),
    "forty dimensions": (w.array(w.numbers(*[1] * 40), w.raw(b"1234")) + b".", "a shape that is none"),
    "shape of texts": (w.array(w.tuple_of(w.text("3")), w.raw(b"1234")) + b".", "a shape that is none"),
    "truth as a shape": (w.array(w.tuple_of(b"\x88"), w.raw(b"1234")) + b".", "a shape that is none"),
    "data is a list": (w.array(w.numbers(1), b"]") + b".", "a list, wanted 4 bytes"),
    "filled twice": (
        w.array(w.numbers(1), w.raw(b"1234")) + w.tuple_of(*[b"N"] * 5) + b"b.",
        "describes an array in an unknown way",
    ),
    "array of a record": (
        w.call("numpy.core.multiarray", "_reconstruct", w.name("m", "A"), w.numbers(0), w.raw(b"b")) + b".",
        "an array of m.A, wanted numpy.ndarray",
    ),
    "other codec": (w.call("_codecs", "encode", w.text("x"), w.text("rot13")) + b".", "encodes a text"),
    "wide text as bytes": (w.call("_codecs", "encode", w.text("\u20ac"), w.text("latin1")) + b".", "cannot be decoded"),
    "too few arguments": (
        w.call("numpy.core.multiarray", "_reconstruct") + b".",
        "calls something with 0 arguments, wanted 3",
    ),
    "too many arguments": (w.call("numpy", "dtype", *[w.text("f4")] * 40) + b".", "more than 16 arguments"),
    "named arguments": (b"cm\nA\n)}(" + w.text("a") + b"I1\nu\x92.", "with named arguments"),
}


# What contains itself

RECURSIVE = {
    "list": b"]" + w.put(0) + w.get(0) + b"a.",
    "dict": b"}" + w.put(0) + w.text("a") + w.get(0) + b"s.",
    "through a tuple": b"]" + w.put(0) + w.get(0) + b"\x85a.",
    "record": w.name("m", "A") + b")\x81" + w.put(0) + b"}" + w.text("me") + w.get(0) + b"sb.",
    "key": w.name("m", "A") + b")\x81" + w.put(0) + b"}" + w.get(0) + b"Nsb.",
    "far round": b"]" + w.put(0) + (b"]" * 50) + w.get(0) + b"a" * 50 + b"a.",
}


# What is small and has no end for whoever walks it


def laughs(levels=100, kind=b"t"):
    """A tuple of two equal tuples of two equal tuples ...: small in memory, endless for whoever walks it."""
    out = b")" + w.put(0) + b"0"
    for level in range(levels):
        out += b"(" + w.get(level) * 2 + kind + w.put(level + 1) + b"0"
    return out + w.get(levels)


LAUGHS = {
    "key": b"}(" + laughs() + b"I1\nu.",
    "item of a set": w.call("builtins", "set", b"(" + laughs() + b"l") + b".",
    "dtype": w.call("numpy", "dtype", laughs(), b"I0\n", b"I1\n") + b".",
    "byte order": w.call("numpy", "dtype", w.text("f4")) + w.tuple_of(b"I3\n", laughs(), b"N", b"N", b"N") + b"b.",
    "fields": w.call("numpy", "dtype", w.text("f4")) + w.tuple_of(b"I3\n", w.text("<"), laughs(), b"N", b"N") + b"b.",
    "class": laughs() + b")R.",
    "class of an array": w.call("numpy.core.multiarray", "_reconstruct", laughs(), b"I0\n", b"N") + b".",
    "encoding": w.call("_codecs", "encode", w.text("a"), laughs()) + b".",
    "pairs": w.call("collections", "OrderedDict", b"](" + laughs() + b"N" + b"e") + b".",
    "shape": w.array(laughs(), w.raw(b"1234")) + b".",
    "data": w.array(w.numbers(1), laughs()) + b".",
    "order": w.array(w.numbers(1), w.raw(b"1234")).replace(b"\x89", laughs()) + b".",
}


# What costs more than it weighs

BIG_LIST = b"](" + w.tuple_of(w.text("a"), b"N") * 5000 + b"e"
COSTLY = {
    "steps": b"](" + b"N" * 1_000_000 + b"e.",
    "dicts": b"](" + b"}" * 1_000_000 + b"e.",
    "sets": b"](" + b"\x8f" * 1_000_000 + b"e.",
    "marks": b"(" * 1_000_000 + b".",
    "memo": b"N" + b"".join(w.put(n << 10) for n in range(400_000)) + b".",
    "dropped": b"N0" * 1_000_000 + b"N.",
    "one text, encoded often": w.text("a" * 1_000_000)
    + w.put(0)
    + (w.name("_codecs", "encode") + w.get(0) + w.text("latin1") + b"\x86R") * 1000
    + b".",
    "one array, often turned round": w.raw(bytes(1_000_000))
    + w.put(0)
    + w.array(w.numbers(250_000), w.get(0), w.dtype("f4", ">")) * 1000
    + b".",
    "one list, often a dict": BIG_LIST
    + w.put(0)
    + (w.name("collections", "OrderedDict") + w.get(0) + b"\x85R") * 5000
    + b".",
    "wide texts": (b"X\x04\x00\x10\x00\xf0\x9f\xa6\x88" + b"a" * (1 << 20)) * 16 + b".",
    "wide lines": (b"V\\U0001f988" + b"a" * (1 << 20) + b"\n") * 16 + b".",
}
