"""What a model of codes is, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import SpecError
from ...levels.quantize import Codec, codec_of
from ..spec import Pace, Shape, Spec, Stage, StateArray


@dataclass(frozen=True)
class CodesSpec(Spec):
    """Music as `books` integers a frame, a recurrent prior over them, and a voice that makes sound of them.

    To whatever plays it, a step is one code: step s is an entry of book s mod `books` of frame s div `books`, and
    `q_levels` is how many entries a book has. A frame lasts `pair` * `hop` samples. What a code sounds like is the
    tokenizer's knowledge (`tokenizer.*`), and rides in the pack.

    >>> sharks.CodesSpec(hidden=64).lookback
    18
    """

    family: ClassVar[str] = "codes"
    carries_state: ClassVar[bool] = True
    initialisers: ClassVar[tuple[str, ...]] = ("codes",)
    logits_from: ClassVar[str] = "prior.heads.0.out"

    codec: str = "CODES"

    bands: int = 80  # of the log-mel spectrum, from 0 Hz to half the rate
    window: int = 1024  # samples of its frames
    hop: int = 256  # samples from one of its frames to the next
    pair: int = 2  # of its frames in one code frame
    floor: float = 1e-4  # amplitude below which all is silence
    dims: int = 64  # numbers that a code frame is quantised as
    books: int = 6
    voice: str = "noise"  # what is played through the codes' envelope
    order: int = 32  # poles of that envelope

    hidden: int = 256  # of the prior's recurrent layers, which are GRUs that reset after the product
    layers: int = 2
    width: int = 192  # of the layer between them and each book's logits

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_choice("codec", ("CODES",))
        self._check_choice("voice", ("noise",))
        for name, low, high in _BOUNDS:
            self._check_between(name, low, high)
        if self.window % 4 or self.hop % 4:
            raise SpecError(f"window and hop are {self.window} and {self.hop}; wanted multiples of 4")
        if self.books * self.q_levels * (2 * self.hidden + self.books * self.width) > MOST_TABLE:
            raise SpecError(
                f"{self.books} books of {self.q_levels} entries with hidden {self.hidden} and width {self.width} need "
                f"tables of more than {4 * MOST_TABLE / 2**30:.0f} GB to play; use fewer or smaller ones"
            )
        if self.dims > self.pair * self.bands:
            raise SpecError(
                f"dims is {self.dims}; a code frame has only pair x bands = {self.pair * self.bands} numbers"
            )

    @property
    def pace(self) -> Pace:
        """A code frame."""
        return Pace(self.books, self.pair * self.hop)

    @property
    def sound(self) -> Codec:
        """Samples of 16 bits."""
        return codec_of("LIN-P", 65536)

    @property
    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def tensors(self) -> list[tuple[str, Shape]]:
        H, D, W = self.hidden, self.dims, self.width
        table: list[tuple[str, Shape]] = [
            ("tokenizer.mean", (self.pair * self.bands,)),
            ("tokenizer.basis", (D, self.pair * self.bands)),
            ("tokenizer.books", (self.books, self.q_levels, D)),
            ("prior.scale", (2 * D,)),
            ("prior.in.weight", (H, 2 * D)),
            ("prior.in.bias", (H,)),
        ]
        for k in range(self.layers):
            rnn = f"prior.rnn.{k}"
            table += [(f"{rnn}.w_ih", (3 * H, H)), (f"{rnn}.w_hh", (3 * H, H))]
            table += [(f"{rnn}.b_ih", (3 * H,)), (f"{rnn}.b_hh", (3 * H,))]
        table += [("prior.norm.weight", (H,)), ("prior.norm.bias", (H,))]
        for q in range(self.books):
            head = f"prior.heads.{q}"
            table += [(f"{head}.hidden.weight", (W, H)), (f"{head}.hidden.bias", (W,))]
            if q:
                table.append((f"{head}.partial.weight", (W, D)))
            table += [(f"{head}.out.weight", (self.q_levels, W)), (f"{head}.out.bias", (self.q_levels,))]
        return table

    def constants(self) -> tuple[str, ...]:
        """What is measured in the music and never learnt: the tokenizer, and what the prior's input is divided by."""
        return ("tokenizer.mean", "tokenizer.basis", "tokenizer.books", "prior.scale")

    def remembered(self) -> list[StateArray]:
        """The hidden vectors of the recurrent layers."""
        return [StateArray("prior.h", (self.layers, self.hidden), "float32")]

    def stages(self) -> list[Stage]:
        """The recurrent layers and their norm, once per frame; then the book's own layer."""
        layers = [Stage(f"prior.rnn.{k}", self.hidden, self.books) for k in range(self.layers)]
        norm, head = Stage("prior.norm", self.hidden, self.books), Stage("prior.head", self.width, 1)
        return [*layers, norm, head, Stage("logits", self.output_width, 1)]

    def tables(self) -> dict[str, NDArray[np.float32]]:
        """None: no amplitude belongs to a single code."""
        return {}

    @property
    def lookback(self) -> int:
        """Three frames: in the middle of one, what it has so far, and the two before it."""
        return 3 * self.books

    @property
    def context(self) -> int:
        return self.lookback

    @property
    def reach(self) -> str:
        milliseconds = 1000 * self.pace.samples / self.sample_rate
        return f"recurrent, {self.layers} layers; {self.context} codes at once, 3 frames of {milliseconds:.0f} ms"

    def fan_in(self, name: str, shape: Shape) -> int:
        if name == "tokenizer.basis":
            return shape[0]
        return 1 if name == "tokenizer.books" else math.prod(shape[1:])

    def gain(self, name: str) -> float:
        if name.startswith("tokenizer."):
            return 0.3
        if name.endswith((".out.weight", "w_ih")):  # a few units between logits; open gates
            return 2.5
        return 1.4 if ".heads." in name else 1.0

    def period(self, name: str) -> int:
        """The recurrent layers work once per frame, and so does each head."""
        return self.books

    @property
    def levels_into(self) -> None:
        """A level enters as the sum of its book's entries, which are not learnt."""


MOST_TABLE = 1 << 28  # numbers in the tables by which an engine looks codes up
_BOUNDS = (
    ("bands", 1, 1024),
    ("window", 16, 1 << 16),
    ("hop", 8, 1 << 14),
    ("pair", 1, 16),
    ("floor", 1e-9, 0.1),
    ("dims", 1, 4096),
    ("books", 1, 64),
    ("order", 1, 128),
    ("hidden", 1, 16384),
    ("layers", 1, 64),
    ("width", 1, 16384),
)
