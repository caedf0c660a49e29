"""The one door to everything that plays a pack: the compiled engine on a device, or the numpy reference.

A player holds the state of B streams; a model holds the weights as a device wants them, is made once per pack, and is
shared by all its players. What "auto" chose is written on the player, for a clip is only promised to be bit-identical
within one device, dtype, instruction set and plan.
"""

from __future__ import annotations

import collections.abc
import contextlib
import os
import threading
import types
import typing
import warnings
import weakref

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..errors import Error, Notice, ResourceError, UsageError, arguments
from ..families.registry import reference_player
from ..families.spec import to_dict
from ..packs.pack import Pack
from . import forks
from .arrays import on_host
from .devices import named

if typing.TYPE_CHECKING:
    from .. import _core
    from ..families.numpy_parts.player import Player as ReferencePlayer

DTYPES = {  # how weights may be stored while playing; bytes set the speed of few streams
    "reference": ("float32",),
    "cpu": ("float32", "bfloat16", "int8"),
    "cuda": ("float32", "float16"),
}
MOST_STREAMS = 1 << 20
MOST_THREADS = 1024
FEW_STREAMS = 4  # threads that may share the steps of fewer streams than that

State = dict[str, NDArray[typing.Any]]

_models: weakref.WeakKeyDictionary[Pack, dict[tuple[str, ...], _core.Model]] = weakref.WeakKeyDictionary()
_making = threading.Lock()


class Player:
    """The state of `streams` independent streams (B) of one pack. Made by `open_player`; not for two threads at once.

    A step predicts the level at this position from the state, then consumes one: the given level (`force`) or the drawn
    one (`run`). A forked child is refused it.
    `device`, `dtype`, `isa`, `plan` and `threads` say what plays.
    """

    def __init__(
        self,
        pack: Pack,
        player: _core.Player | ReferencePlayer,
        *,
        streams: int,
        device: str,
        dtype: str,
        isa: str,
        threads: int,
        plan: str = "default",
        notes: collections.abc.Iterable[str] = (),
    ) -> None:
        self.spec, self.streams = pack.spec, streams
        self.device, self.dtype, self.isa, self.plan, self.threads = device, dtype, isa, plan, threads
        self._player = player
        self._of_model, self._said = tuple(notes), 0
        if device != "reference":
            forks.watch(self)
        self._say_what_is_new()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences: why it plays slower than it might. Each is a `Notice` among Python's warnings as it arises."""
        return (*self._of_model, *getattr(self._player, "notes", ()))

    def reset(self, levels: ArrayLike) -> None:
        """Forget everything but the history `levels` int (B, lookback), oldest first; position and step are 0."""
        with _refusals():
            self._player.reset(_exact("levels", levels, np.int32))

    def force(
        self,
        levels: ArrayLike,
        want_logits: bool = True,
        stages: collections.abc.Sequence[str] = (),
        *,
        out: typing.Any = None,
    ) -> tuple[NDArray[np.float32] | None, dict[str, NDArray[np.float32]]]:
        """Consume `levels` int (B, T) -> (logits float32 (B, T, Q) that predicted them, or None; stages by name).

        A stage is float32 (B, how often it ran inside this call, width). Position moves on, step does not. `out`: an
        array for the logits, filled where it lies and returned: numpy's, or a tensor on the GPU that plays, of any
        library with DLPack whose tensors may be written.
        """
        with _refusals():
            played = self._player.force(_exact("levels", levels, np.int32), want_logits, list(stages), out)
        self._say_what_is_new()
        return played

    def run(
        self, n: int, temperature: ArrayLike, seed: int, streams: ArrayLike, *, out: typing.Any = None
    ) -> NDArray[np.int32]:
        """Draw `n` levels per stream -> int32 (B, n), with the noise of (seed, streams[b], step).

        `temperature` float32 (B, n), `seed` below 2^64, `streams` int (B,) below 2^32. Position and step move on.
        `out`: an array or a tensor for the levels, as for `force`; after Ctrl-C its beginning is what was drawn.
        """
        if not 0 <= seed < 1 << 64:
            raise UsageError(f"seed is {seed}; wanted 0 to 2^64 - 1")
        with _refusals():
            temperatures, ids = _exact("temperature", temperature, np.float32), _exact("streams", streams, np.int64)
            if ids.shape != (self.streams,) or ids.min() < 0 or ids.max() >> 32:
                raise UsageError(f"streams are {ids.tolist()}; wanted {self.streams} numbers from 0 to 2^32 - 1")
            drawn = self._player.run(n, temperatures, seed, ids, out)
        self._say_what_is_new()
        return drawn

    def get_state(self) -> State:
        """A copy of the state: every array of `spec.state()`, streams first."""
        with _refusals():
            return self._player.get_state()

    def set_state(self, state: State) -> None:
        """Go on from a state that a player of the same spec and number of streams gave, on whatever device."""
        with _refusals():
            if self.device != "reference":  # which keeps its float64
                dtypes = {array.name: array.dtype for array in self.spec.state()}
                state = {name: _exact(name, array, dtypes.get(name, "float32")) for name, array in state.items()}
            self._player.set_state(state)

    def _say_what_is_new(self) -> None:
        """To Python's warnings, which by default show each sentence once."""
        for note in self.notes[self._said :]:
            self._said += 1
            warnings.warn(note, Notice, stacklevel=3)


def open_player(
    pack: Pack,
    streams: int,
    *,
    device: str = "auto",
    dtype: str = "float32",
    threads: int | None = None,
    condition: ArrayLike | None = None,
    plan: str = "default",
    cuda_stream: int | None = None,
) -> Player:
    """A player of `streams` streams of a pack, waiting for its first `reset`.

    `device`: "auto" takes a GPU if one can play, else the CPU; "gpu" is "cuda"; "reference" is the slow numpy judge.
    `dtype`: how weights are stored while playing: "float32", or, faster and nearly as exact, "bfloat16" or "int8" on
    the CPU and "float16" on a GPU. `plan`: on a GPU, "throughput" asks for the way of playing that suits hundreds of
    streams best, and a plan's own name for that one and no other. Levels may be tensors on a GPU, of any library with
    DLPack.
    `threads`: None takes one per stream, as far as there are cores, and up to four for fewer streams. `condition`, for
    a model with global conditioning: a class or a vector for all streams, or one each, int (B,) or float (B, G).

    `cuda_stream`: the handle of a CUDA stream, such as `torch.cuda.current_stream().cuda_stream`, which must outlive
    the player: all its work on the GPU goes there, after what is there already. None is a stream of its own. Calls
    return when their work is done.

    Raises `UsageError` for arguments that no device can play, `ResourceError` for a device that is not there.
    """
    device = playing(pack, choose_device(device, dtype), asked=device)
    if not isinstance(dtype, str) or dtype not in DTYPES[device]:
        kinds = ", ".join(DTYPES[device])
        raise UsageError(f"is {arguments.shown(dtype)}; device {device!r} plays {kinds}", argument="dtype")
    if not isinstance(plan, str) or (plan != "default" and device != "cuda"):
        raise UsageError(f"is {arguments.shown(plan)}; device {device!r} has one plan, 'default'", argument="plan")
    streams = arguments.whole("streams", streams, 1, MOST_STREAMS)
    if cuda_stream is not None and device != "cuda":
        raise UsageError(f"cuda_stream is given, but device {device!r} plays; leave it out, or use device='cuda'")
    queue = None if cuda_stream is None else arguments.whole("cuda_stream", cuda_stream, 0, (1 << 64) - 1)
    threads = _default_threads(streams) if threads is None else arguments.whole("threads", threads, 1, MOST_THREADS)
    given = pack.spec.condition.per_stream(condition, streams)
    vectors = pack.spec.condition.vectors(pack.tensors, given, streams)
    if device == "reference":
        judge = reference_player(pack.spec, pack.tensors, streams, given)
        return Player(pack, judge, streams=streams, device=device, dtype=dtype, isa="numpy", threads=1)
    with _refusals():
        model = _model(pack, device, dtype, plan)
        player = model.player(streams, threads, queue)
        if vectors is not None:
            player.set_condition(_exact("condition", vectors, np.float32))
    return Player(
        pack,
        player,
        streams=streams,
        device=device,
        dtype=dtype,
        isa=model.isa,
        threads=threads,
        plan=model.plan,
        notes=model.notes,
    )


def described(device: str, *how: str) -> str:
    """What plays, for people: "cuda (sm_90, float16, persistent)". A device's only plan is not worth a word."""
    return f"{device} ({', '.join(word for word in how if word != 'default')})"


def cost(pack: Pack, device: str = "cpu", dtype: str = "float32") -> dict[str, float]:
    """What one sample costs the compiled engine: `step_bytes` and `frame_bytes` of weights read (the latter by their
    share of a step), `working_set` bytes of all weights, `multiply_adds` per stream."""
    return _model(pack, device, dtype).cost


def choose_device(device: str, dtype: str = "float32") -> str:
    """What "auto" means here, for weights of this type; any other device as it is, if it can play."""
    device = named(device)
    if device == "reference":
        return device
    core = _compiled()
    if device == "cpu":
        return device
    cuda_trouble = core.cuda_status()
    if device == "cuda" and cuda_trouble:
        raise ResourceError(f"device 'cuda' cannot play: {cuda_trouble}")
    if device == "auto":
        return "cpu" if cuda_trouble or dtype not in DTYPES["cuda"] else "cuda"
    return device


def playing(pack: Pack, device: str, asked: str) -> str:
    """The device, if it plays such a model; the CPU where none was asked for."""
    if device == "reference" or device in pack.spec.devices:
        return device
    if asked == "auto":
        return "cpu"
    raise UsageError(f"is {asked!r}, which plays no {pack.spec.family} yet; use 'cpu'", argument="device")


def _compiled() -> types.ModuleType:
    try:
        from .. import _core
    except ImportError as error:
        raise ResourceError(
            f"the compiled engine cannot be loaded ({' '.join(str(error).split())}); install sharks-audio again, or be "
            "patient with device reference"
        ) from None
    return _core


def _model(pack: Pack, device: str, dtype: str, plan: str = "default") -> _core.Model:
    """The pack as the device wants it: made once, by one thread, and forgotten with the pack."""
    core = _compiled()
    isa = core.isa()
    with _making:
        models = _models.setdefault(pack, {})
        if (device, dtype, isa, plan) not in models:
            tables = {name.removeprefix("codec."): table for name, table in pack.tables.items()}
            models[device, dtype, isa, plan] = core.Model(
                to_dict(pack.spec), pack.tensors, tables, isa=isa, device=device, dtype=dtype, plan=plan
            )
        return models[device, dtype, isa, plan]


def _default_threads(streams: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, max(streams, FEW_STREAMS), MOST_THREADS))


def _exact(name: str, values: ArrayLike, dtype: DTypeLike) -> NDArray[typing.Any]:
    """A contiguous array of just this type. Integers that do not fit, and fractions, are refused, not wrapped."""
    given = np.asarray(on_host(name, values))
    exact = np.ascontiguousarray(given, dtype)
    if exact.dtype.kind == "i" and not np.array_equal(exact, given):
        raise UsageError(f"{name} are {given.dtype} from {given.min()} to {given.max()}; wanted {exact.dtype}")
    return exact


@contextlib.contextmanager
def _refusals() -> typing.Iterator[None]:
    """What the compiled engine refuses is a `UsageError`; no memory for it, or a GPU that fails, a `ResourceError`."""
    try:
        yield
    except Error:
        raise
    except MemoryError:
        raise ResourceError("there is not enough memory for so many streams; use fewer") from None
    except RuntimeError as error:
        raise ResourceError(str(error)) from None
    except (ValueError, OverflowError, BufferError) as error:
        raise UsageError(str(error)) from None
