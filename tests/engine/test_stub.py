"""`_core.pyi` is true: the compiled module has these names, and its functions take these arguments."""

import ast
import inspect
import pathlib
import re
import types

import pytest

import sharks

core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")

STUB = (pathlib.Path(sharks.__file__).parent / "_core.pyi").read_text()


def written(stub):
    """{name: [(argument, whether it may be left out)], or None for a property} of a stub's functions and methods."""
    found = {}
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}": taken for name, taken in _functions(node.body).items()}
        else:
            found |= _functions([node])
    return found


def _functions(body):
    return {
        node.name: None if node.decorator_list else _without_self(_written_arguments(node.args))
        for node in body
        if isinstance(node, ast.FunctionDef)
    }


def _written_arguments(arguments):
    required = len(arguments.args) - len(arguments.defaults)
    return [(argument.arg, place >= required) for place, argument in enumerate(arguments.args)]


def compiled(module):
    """The same of a compiled module, by the first line of each docstring, which pybind11 writes."""
    found = {}
    for name, value in vars(module).items():
        if inspect.isclass(value):
            kept = {n: v for n, v in vars(value).items() if not n.startswith("_") or n == "__init__"}
            if value.__init__.__doc__.startswith("Initialize self"):  # made by a method of another class alone
                del kept["__init__"]
            found |= {f"{name}.{n}": _taken(v) for n, v in kept.items()}
        elif not name.startswith("_") and not isinstance(value, types.ModuleType):
            found[name] = _taken(value)
    return found


def _taken(value):
    if isinstance(value, property):
        return None
    return _without_self(signature(value.__doc__))


def signature(docstring):
    """[(argument, whether it may be left out)] of `name(argument: type = value, ...) -> type`."""
    inner, depth, words = docstring.split("\n")[0].split("(", 1)[1], 0, [""]
    for letter in inner:
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [(re.match(r"\s*(\w+)", word)[1], " = " in word) for word in words if word.strip()]


def _without_self(taken):
    return taken[1:] if taken and taken[0][0] == "self" else taken


def test_the_stub_is_true():
    assert written(STUB) == compiled(core)


def test_the_stub_tells_more_than_names():
    taken = written(STUB)
    assert taken["product"] == [("weights", False), ("inputs", False), ("dtype", True), ("isa", True)]
    assert taken["Model.isa"] is None and taken["isa"] == []


@pytest.mark.parametrize(
    "old, new",
    [
        ("bytes: int, rounds: int = 5", "bytes: int, rounds: int"),
        ("weights: NDArray[np.float32], inputs:", "inputs: NDArray[np.float32], weights:"),
        ("def isas() -> list[str]: ...\n", ""),
        ("def isas()", "def isas(all: bool)"),
        ("def cuda_status()", "def cuda_stats()"),
        ("    @property\n    def position", "    def position"),
    ],
)
def test_a_stub_that_is_not_true_would_be_seen(old, new):
    assert old in STUB and written(STUB.replace(old, new)) != compiled(core)


def test_signatures_are_read_as_pybind11_writes_them():
    line = "f(self: a.B, x: Annotated[A, b(1, 2)], y: dict[str, int] = {'k': 1}, z: str = 'a') -> tuple[int, int]"
    assert signature(line) == [("self", False), ("x", False), ("y", True), ("z", True)]
    assert signature("f() -> list[str]\n\nx(1)") == []
