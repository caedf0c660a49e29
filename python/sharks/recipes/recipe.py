"""How a model is trained: the numbers of a recipe, and what they may be. Presets are recipes with names."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from typing import ClassVar

from ..errors import UsageError, did_you_mean
from ..families import spec as specs
from ..families.registry import FAMILIES

MOST = 10**9  # of steps, streams and what else is counted


def _off(value: typing.Any) -> typing.Any:
    """A field that does nothing at `value`, and that a preset without it need not name."""
    return field(default=value, metadata={"off": True})


@dataclass(frozen=True)
class DataRecipe:
    """How songs become training chunks. Seconds, and decibels of RMS relative to full scale."""

    family: ClassVar[str] = "data"

    chunk_seconds: float = 8.0  # one chunk: the state is reset at its start and carried through it
    hop_seconds: float = 8.0  # from one chunk's start to the next; the overlap is chunk_seconds - hop_seconds
    chunks: int = _off(0)  # if not 0: this many chunks, spread evenly over the songs, whatever hop_seconds says
    silence_db: float = _off(float("-inf"))  # a chunk with `silence_seconds` in a row at or below this is left out
    silence_seconds: float = 4.0
    trim_db: float = _off(float("-inf"))  # both ends of a song are trimmed up to the first frame above this
    equaliser_db: float = _off(0.0)  # deviation of the random equaliser of each chunk (WaveNet: window); 0: none
    renderings: int = _off(1)  # of each song where songs are coded: as it is, and at other speeds, through equalisers
    val_fraction: float = 0.06  # of the songs, by length; at least one song, or the last tenth of a single one

    def __post_init__(self) -> None:
        _positive(self, "chunk_seconds", "hop_seconds", "silence_seconds")
        _within(self, "chunks", 0, MOST)
        _within(self, "renderings", 1, 1000)
        _within(self, "val_fraction", 0.0, 0.9)
        _within(self, "equaliser_db", 0.0, 24.0)
        _within(self, "silence_db", float("-inf"), 0.0)
        _within(self, "trim_db", float("-inf"), 0.0)

    @property
    def overlap_seconds(self) -> float:
        return max(0.0, self.chunk_seconds - self.hop_seconds)


@dataclass(frozen=True)
class TrainRecipe:
    """How a model is fitted. Everything that counts in time counts steps of the optimiser."""

    family: ClassVar[str] = "train"

    batch: int = 128  # streams per step
    chunk_len: int = 1024  # samples predicted per stream and step: the TBPTT span, or WaveNet's window
    steps: int = 200000

    optimiser: str = "adam"  # or "muon": Adam only around the products inside a model, which turn by Muon
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_form: str = "torch"  # "torch" adds it after the bias of sqrt(v) is corrected, "hat" before
    warmup_steps: int = _off(0)  # the rate rises linearly to its full value
    decay: str = "none"  # "cosine" falls to `final_rate` of it at `steps`; "halving" halves it every `halve_every`
    final_rate: float = 0.0
    halve_every: int = 200000
    clip: str = "none"  # "value" limits every element of a gradient to +-clip_at, "norm" the norm of all of them
    clip_at: float = 1.0
    ema: float = _off(0.0)  # if not 0: the pack holds this moving average of the weights

    weight_norm: bool = _off(False)  # each output of a product has a direction and a length (never the embedding)
    initialiser: str = "torch"  # whose initial weights: "iclr", "keras", "ibab", "nv", "torch" or "smooth"
    forget_bias: float = 0.0  # initial bias of an LSTM's forget gate
    initial_noise: float = _off(0.0)  # deviation of what is added at random to the state in which a chunk begins

    dropout: float = _off(0.0)  # of channels, where the family has a use for it
    noise: float = _off(0.0)  # the largest deviation of what is added to the input, where the family has a use for it

    precision: str = "auto"  # of products: "float32", "bfloat16", or the faster of both that the device is good at
    compiled: bool = _off(False)  # let torch.compile at a WaveNet's layers; it takes minutes, and what it gains differs
    pieces: int = 0  # that a batch is taken in, to save memory and keep all cores busy; 0: as few as fit

    checkpoint_every: int = 1000
    validate_every: int = 1000
    validate_seconds: float = 60.0  # of held-out audio per validation, spread over the held-out songs
    preview_every: int = 10000
    preview_seconds: float = 10.0
    best: str = _off("held-out")  # the checkpoint to play: "held-out" music's lowest NLL, or the "newest"
    keep: int = 3  # newest checkpoints kept, besides the best

    temperature: float = 0.95  # for previews, and what generate suggests

    def __post_init__(self) -> None:
        _among(self, "optimiser", ("adam", "muon"))
        _among(self, "best", ("held-out", "newest"))
        _among(self, "epsilon_form", ("torch", "hat"))
        _among(self, "decay", ("none", "cosine", "halving"))
        _among(self, "clip", ("none", "value", "norm"))
        _among(self, "precision", ("auto", "float32", "bfloat16"))
        _among(
            self,
            "initialiser",
            (*(name for kind in FAMILIES.values() for name in kind.initialisers), "torch", "smooth"),
        )
        for name in (
            "batch",
            "chunk_len",
            "halve_every",
            "checkpoint_every",
            "validate_every",
            "preview_every",
            "keep",
        ):
            _within(self, name, 1, MOST)
        _within(self, "steps", 1, MOST)
        _within(self, "warmup_steps", 0, MOST)
        _within(self, "pieces", 0, MOST)
        _within(self, "initial_noise", 0.0, 100.0)
        _within(self, "dropout", 0.0, 0.9)
        _within(self, "noise", 0.0, 100.0)
        for name in ("beta1", "beta2", "ema"):
            _within(self, name, 0.0, 0.9999999)
        _within(self, "final_rate", 0.0, 1.0)
        _within(self, "forget_bias", -100.0, 100.0)
        _within(self, "temperature", 0.0, 100.0)
        _positive(self, "learning_rate", "epsilon", "clip_at", "validate_seconds", "preview_seconds")


@dataclass(frozen=True)
class Guide:
    """What a musician asks before choosing a preset; a preset that is not for choosing has none."""

    use: str = ""  # what it is for, in a few words
    minutes: float = 0.0  # of music that it wants at least: with less it learns it by heart
    step_seconds: float = 0.0  # that a step took on two cores of 135e9 multiply-adds per second each; 0: not measured


@dataclass(frozen=True)
class Recipe:
    """The data and training numbers of a preset, with where they come from."""

    name: str
    about: str = ""
    source: str = ""
    data: DataRecipe = field(default_factory=DataRecipe)
    train: TrainRecipe = field(default_factory=TrainRecipe)


def replaced(table: typing.Any, changes: dict[str, typing.Any]) -> typing.Any:
    """A recipe's table with fields changed, checked as those of a spec are."""
    return specs.replace(table, **changes)


def _positive(table: typing.Any, *names: str) -> None:
    for name in names:
        if not 0 < getattr(table, name) < float("inf"):
            raise UsageError(f"{table.family}.{name} is {getattr(table, name)}; wanted a number above 0")


def _within(table: typing.Any, name: str, low: float, high: float) -> None:
    if not low <= getattr(table, name) <= high:
        raise UsageError(f"{table.family}.{name} is {getattr(table, name)}; wanted {low} to {high}")


def _among(table: typing.Any, name: str, known: tuple[str, ...]) -> None:
    if getattr(table, name) not in known:
        near = did_you_mean(str(getattr(table, name)), known)
        raise UsageError(f"{table.family}.{name} is {getattr(table, name)!r}{near}")
