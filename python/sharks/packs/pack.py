"""Packs: a spec and its weights in one safetensors file, with what is needed to play them and to prove a backend.

A file holds, in this order: the codec's tables (`codec.*`, see `spec.tables()`), golden steps (`golden.*`, see
golden.py), and every tensor of `spec.tensors()`, all float32 or all float16. Its metadata holds
`format`, the `spec` and an `about` dict as JSON, and the digests of tensorfile.py. A float16 pack is widened when it is
loaded: the widened values are the model, for the reference too.

Loading compares every name, shape and dtype with the spec before it reads a number, and refuses NaN, infinity,
leftovers, damaged bytes and files of other programs with one `PackError` sentence. Nothing in a file is ever executed.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import itertools
import json
import os
import pathlib
import typing

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError, SpecError, UsageError, arguments
from ..families.random_weights import random_weights
from ..families.registry import from_dict
from ..families.spec import Spec, parameters, to_dict
from ..files import tensorfile
from ..files.tensorfile import TensorFile, short
from . import box
from . import golden as golden_steps
from .golden import Golden

FORMAT = "sharks pack 1"
SUFFIX = ".safetensors"
BEST = "best.safetensors"  # of a run directory
MOST_WEIGHT_BYTES = 1 << 32
MOST_ABOUT_BYTES = 1 << 16

_CHECKPOINTS = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".index", ".h5", ".npz"}
_DTYPES = {"float32": "F32", "float16": "F16"}
_Arrays = dict[str, NDArray[typing.Any]]


class Pack:
    """A model to play. Its arrays are read-only, so that engines may keep what they prepare from them.

    `.spec`, `.tensors` (name -> float32, in table order), `.tables` (the codec's, float32 (q_levels,)), `.about` (JSON
    values: preset, training step, NLL, licence, ...), `.path` (where it lies, if on disk), `.golden`, `.sha256`.

    Raises `PackError` where names, shapes or values are not those of the spec.

    >>> pack = sharks.load("run")
    >>> pack.spec.family, pack.spec.sample_rate, len(pack.tensors)
    ('samplernn', 16000, 15)
    >>> pack.save("half.safetensors", dtype="float16").stat().st_size < pack.path.stat().st_size
    True
    """

    def __init__(
        self,
        spec: Spec,
        weights: typing.Mapping[str, NDArray[typing.Any]],
        *,
        about: dict[str, typing.Any] | None = None,
        golden: Golden | None = None,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.spec = spec
        self.about = _plain_json(about or {})
        self.path = pathlib.Path(path) if path is not None else None
        self.tables = spec.tables()
        wanted = dict(spec.tensors())
        _compare({name: np.shape(array) for name, array in weights.items()}, wanted, _not_of_spec)
        self.tensors = {name: _float32(name, weights[name]) for name in wanted}
        if golden is not None:
            self.golden = golden

    def __repr__(self) -> str:
        return f"<Pack {self.spec.family}, {parameters(self.spec):,} parameters, {self.path or 'not saved'}>"

    @functools.cached_property
    def golden(self) -> Golden:
        """The golden steps: from the file, or played now by the reference."""
        return golden_steps.play(self.spec, self.tensors)

    @functools.cached_property
    def sha256(self) -> str:
        """What this pack plays: one digest over spec and weights, whatever file or dtype they came in."""
        digest = hashlib.sha256(json.dumps(to_dict(self.spec), sort_keys=True).encode())
        for name, array in self.tensors.items():
            digest.update(f"{name} {tensorfile.sha256(array)}\n".encode())
        return digest.hexdigest()

    def save(self, path: str | os.PathLike[str], *, dtype: str = "float32", golden: bool = True) -> pathlib.Path:
        """Write the pack, whole or not at all, and return its path.

        "float16" halves the file; the rounded weights are then the model. `golden=False` leaves the golden steps out
        (they take the reference seconds to play), and with them the possibility to `check` the file.
        Raises `UsageError` for another dtype or suffix, `ResourceError` where the file cannot be written.
        """
        path = arguments.path("path", path)
        if path.suffix != SUFFIX:
            raise UsageError(f"{path}: a pack's name ends in {SUFFIX}; choose such a name")
        if dtype not in _DTYPES:
            arguments.refuse("dtype", dtype, "float32 or float16, as which a pack is saved")
        weights: _Arrays = dict(self.tensors)
        model = self
        if dtype == "float16":
            weights = {name: _float16(name, array) for name, array in self.tensors.items()}
            if not all(np.array_equal(weights[name], array) for name, array in self.tensors.items()):
                model = Pack(self.spec, weights)
        metadata = {"format": FORMAT, "spec": _json(to_dict(self.spec)), "about": _json(self.about)}
        steps: _Arrays = {}
        if golden:
            metadata["golden"] = _json(model.golden.settings())
            steps = model.golden.tensors()
        tensorfile.write(path, self.tables | steps | weights, metadata)
        if model is self:
            self.path = path
        return path


def load(path: str | os.PathLike[str]) -> Pack:
    """The pack of a file, or of a run directory (its best.safetensors). Every failure is one `PackError` sentence.

    "box" is the model that comes with sharks, unless a pack or a run of that name lies in the current folder.

    >>> sharks.load("run")
    <Pack samplernn, 12,944 parameters, run/best.safetensors>
    >>> sharks.load("box").about["licence"]
    'CC-BY-SA 3.0'
    """
    named, path = path, arguments.path("path", path)
    if box.meant(named, BEST):  # as it was written: ./box is a file, and its path is that of a box
        with box.file() as inside:
            return load(inside)
    if path.suffix.lower() in _CHECKPOINTS:
        raise PackError(
            f"{path}: is another program's checkpoint and may run code when opened; use `sharks import` on it"
        )
    if path.is_dir():
        path = path / BEST
        if not path.exists():
            raise PackError(f"{path.parent}: holds no {BEST}; name a pack, or a run that has reached a checkpoint")
    with TensorFile(path) as file:
        spec, about, settings = _metadata(file)
        _check_layout(file, spec, settings is not None)
        arrays = {name: file.read(name) for name in file.layout}
        for name, table in spec.tables().items():
            if not np.allclose(arrays[name], table, rtol=0, atol=1e-6):
                raise file.error(f"{name} is not the table of codec {spec.codec}")
        golden = _golden(file, spec, arrays, settings) if settings is not None else None
        try:
            return Pack(spec, {name: arrays[name] for name, _ in spec.tensors()}, about=about, golden=golden, path=path)
        except PackError as error:
            raise file.error(str(error)) from None


def pack_of(pack: Pack | str | os.PathLike[str], name: str = "pack") -> Pack:
    """A pack as it is, or the one of a path; `name` is what the argument is called."""
    if isinstance(pack, Pack):
        return pack
    arguments.path(name, pack)
    return load(pack)


def random_pack(spec: Spec, seed: int = 0) -> Pack:
    """A pack of random weights, for tests and benchmarks; see random_weights.py. The same numbers on every machine.

    >>> pack = sharks.random_pack(sharks.WaveNetSpec(dilations=(1, 2, 4), residual=8, skip=16), seed=1)
    >>> pack.save("random.safetensors", golden=False).name
    'random.safetensors'
    """
    seed = arguments.whole("seed", seed)
    if not isinstance(spec, Spec):
        arguments.refuse("spec", spec, "a WaveNetSpec or SampleRNNSpec, such as sharks.preset(NAME) gives")
    return Pack(spec, random_weights(spec, seed), about={"preset": "random", "seed": seed})


def _not_of_spec(problem: str) -> PackError:
    return PackError(f"{problem}; give exactly the tensors of sharks.spec.tensors(spec)")


def _metadata(file: TensorFile) -> tuple[Spec, dict[str, typing.Any], dict[str, typing.Any] | None]:
    """(spec, about, settings of the golden steps or None)."""
    found = dict(file.metadata)
    if found.pop("format", None) != FORMAT:
        raise file.error(
            f"has format {short(file.metadata.get('format'))}, wanted {FORMAT!r}",
            "name a pack, or use the version of sharks that wrote it",
        )
    try:
        spec = from_dict(file.parse(found.pop("spec", ""), "the spec"))
        spec.tables()
    except SpecError as error:
        raise file.error(f"holds a spec that cannot be meant: {short(error, quote=False)}", "save it again") from None
    about = file.parse(found.pop("about", "{}"), "about")
    golden = file.parse(found.pop("golden"), "golden") if "golden" in found else None
    if found:
        raise file.error(f"has unknown metadata {short(sorted(found))}", "save it again, with such things in `about`")
    if 4 * parameters(spec) > MOST_WEIGHT_BYTES:
        raise file.error(f"claims {parameters(spec):,} parameters, wanted {MOST_WEIGHT_BYTES // 4:,} at most")
    return spec, about, golden


def _check_layout(file: TensorFile, spec: Spec, with_golden: bool) -> None:
    """Refuse a file whose tensors are not, name by name, those of a pack of this spec."""
    got = {name: layout.shape for name, layout in file.layout.items()}
    weights = dict(spec.tensors())
    wanted = {name: table.shape for name, table in spec.tables().items()}
    types = dict.fromkeys(wanted, "F32")
    if with_golden:
        shapes, dtypes = golden_steps.layout(spec, got)
        wanted, types = wanted | shapes, types | dtypes
    first = file.layout.get(next(iter(weights)))
    types |= dict.fromkeys(weights, "F16" if first and first.dtype == "F16" else "F32")
    _compare(got, wanted | weights, file.error)
    for name, dtype in types.items():
        if file.layout[name].dtype != dtype:
            raise file.error(f"tensor {name} has dtype {file.layout[name].dtype}, wanted {dtype}")


def _compare(
    got: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]], error: typing.Callable[[str], Exception]
) -> None:
    """Refuse missing tensors, leftovers and other shapes."""
    for name, shape in wanted.items():
        if name not in got:
            raise error(f"tensor {name} is missing, wanted shape {shape}")
        if got[name] != shape:
            raise error(f"tensor {name} has shape {short(got[name])}, wanted {shape}")
    for name in got:
        if name not in wanted:
            raise error(f"tensor {short(name)} is left over: the spec has no such tensor")


def _golden(file: TensorFile, spec: Spec, arrays: _Arrays, settings: dict[str, typing.Any]) -> Golden:
    found = {name.removeprefix("golden."): array for name, array in arrays.items() if name.startswith("golden.")}
    try:
        golden = Golden(**(found | settings))
        golden_steps.validate(spec, golden)
    except (TypeError, ValueError) as error:
        raise file.error(f"the golden steps cannot be played: {short(error, quote=False)}", "save it again") from None
    return golden


def _float32(name: str, array: NDArray[typing.Any]) -> NDArray[np.float32]:
    """A finite, contiguous, read-only float32 array; one that is all that already is kept, others are copied."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        raise PackError(f"tensor {name} has dtype {array.dtype}, wanted float32; convert it first")
    if array.flags.writeable or array.dtype != np.float32 or not array.flags.c_contiguous:
        array = np.array(array, np.float32, order="C")
        array.flags.writeable = False
    if not np.isfinite(array).all():
        raise PackError(f"tensor {name} holds NaN or infinity, wanted finite weights; use an earlier checkpoint")
    return array


def _float16(name: str, array: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        narrow = array.astype("<f2")
    if not np.isfinite(narrow).all():
        raise PackError(f"tensor {name} reaches {np.abs(array).max():g}, float16 ends at 65504; save as float32")
    return narrow


def with_songs(about: dict[str, typing.Any], names: list[str]) -> dict[str, typing.Any]:
    """`about` with as many `names` under "songs" as a pack may hold; where that is not all, "songs_in_all" counts them.

    A dataset may have any number of songs, with names of any length, and a model must still be saved.

    >>> with_songs({}, ["a.wav", "b.wav"])
    {'songs': ['a.wav', 'b.wav']}
    """
    lengths = list(itertools.accumulate((len(_json(name)) + 1 for name in names), initial=-1))  # no comma at the front

    def fit(rest: dict[str, typing.Any]) -> int:
        return max(0, bisect.bisect_right(lengths, MOST_ABOUT_BYTES - len(_json(rest))) - 1)

    if fit(about | {"songs": []}) == len(names):
        return about | {"songs": names}
    rest = about | {"songs": [], "songs_in_all": len(names)}
    return rest | {"songs": names[: fit(rest)]}


def _plain_json(about: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """A copy of `about` as JSON brings it back."""
    try:
        text = _json(about)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"about cannot be written as JSON ({error}); wanted plain texts, numbers and lists") from None
    if not isinstance(about, dict) or len(text) > MOST_ABOUT_BYTES:
        raise UsageError(f"about takes {len(text)} bytes, wanted a dict of {MOST_ABOUT_BYTES} at most; keep it short")
    plain: dict[str, typing.Any] = json.loads(text)
    return plain


def _json(value: typing.Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
