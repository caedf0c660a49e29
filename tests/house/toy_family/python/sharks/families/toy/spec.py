"""What a toy is, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..spec import Shape, Spec, Stage, StateArray


@dataclass(frozen=True)
class ToySpec(Spec):
    """IRNN (Le, Jaitly and Hinton 2015): the newest level, embedded, and one recurrent layer of rectified units."""

    family: ClassVar[str] = "toy"
    carries_state: ClassVar[bool] = True
    initialisers: ClassVar[tuple[str, ...]] = ("irnn",)
    logits_from: ClassVar[str] = "out"

    embed_dim: int = 16  # E
    hidden: int = 64  # H

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "hidden"):
            self._check_between(name, 1, 16384)

    def tensors(self) -> list[tuple[str, Shape]]:
        E, H = self.embed_dim, self.hidden
        return [
            ("embed.weight", (self.q_levels, E)),
            ("rnn.w_ih", (H, E)),
            ("rnn.w_hh", (H, H)),
            ("rnn.b_ih", (H,)),
            ("out.weight", (self.output_width, H)),
            ("out.bias", (self.output_width,)),
        ]

    def stages(self) -> list[Stage]:
        return [Stage("hidden", self.hidden, 1), Stage("logits", self.output_width, 1)]

    def remembered(self) -> list[StateArray]:
        return [StateArray("h", (self.hidden,), "float32")]

    @property
    def lookback(self) -> int:
        return 1

    @property
    def context(self) -> int:
        return 1

    @property
    def reach(self) -> str:
        return f"1 sample, and what {self.hidden} units remember of all before"

    def gain(self, name: str) -> float:
        return 4.0 if name == "out.weight" else 1.0  # a few units between logits

    @property
    def levels_into(self) -> str:
        return "embed.weight"
