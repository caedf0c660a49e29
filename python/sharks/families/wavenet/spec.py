"""What a WaveNet is, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ...errors import SpecError
from ..conditions import Condition, OneClass, OneVector, Unconditioned
from ..spec import STARTS, Shape, Spec, Stage, StateArray


@dataclass(frozen=True)
class WaveNetSpec(Spec):
    """WaveNet (van den Oord et al. 2016): gated dilated convolutions over past levels, skips, and a head.

    >>> sharks.WaveNetSpec(dilations=(1, 2, 4, 8), residual=64).receptive_field
    17
    """

    family: ClassVar[str] = "wavenet"
    carries_state: ClassVar[bool] = False
    starts: ClassVar[tuple[str, ...]] = STARTS
    initialisers: ClassVar[tuple[str, ...]] = ("ibab", "nv")
    logits_from: ClassVar[str] = "head.conv2"

    input: str = "one-hot"  # "one-hot", "embedding", or "scalar" (the decoded amplitude)
    embed_dim: int = 0  # of "embedding"
    input_filter_width: int = 2  # taps of the first convolution; 0: none, the embedding is the first layer's input
    input_bias: bool = False
    filter_width: int = 2  # taps of each dilated convolution, 2 or 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # one entry per layer
    residual: int = 32  # R
    dilation: int = 32  # D, one half of the gate
    skip: int = 512  # S
    head: int = 512  # channels between the two head products
    bias: bool = True  # of the dilated, residual and skip products
    head_bias: bool = True
    last_residual: bool = True  # the last layer's residual product exists, though nothing reads it
    residual_scale: float = 1.0  # h' = (h + residual) * residual_scale
    skip_scale: float = 1.0  # on the sum of skips
    start: str = "silence"  # free runs begin after one receptive field of silence, or with "empty" rings
    global_channels: int = 0  # G of global conditioning; 0: none
    global_classes: int = 0  # rows of the class embedding; 0: the vector itself is given
    local_channels: int = 0  # the named place for local conditioning; refused for now

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_choice("input", ("one-hot", "embedding", "scalar"))
        self._check_choice("start", self.starts)
        self._check_between("filter_width", 2, 3)
        self._check_between("input_filter_width", 0, 64)
        for name in ("residual", "dilation", "skip", "head"):
            self._check_between(name, 1, 16384)
        for name in ("embed_dim", "global_channels", "global_classes"):
            self._check_between(name, 0, 16384)
        if not self.dilations or len(self.dilations) > 1024 or not all(1 <= d <= 1 << 20 for d in self.dilations):
            raise SpecError(f"dilations is {self.dilations}; it must name 1 to 1024 layers of 1 to 1048576 samples")
        if (self.input == "embedding") != (self.embed_dim > 0):
            raise SpecError(f"input is {self.input!r} with embed_dim {self.embed_dim}; an embedding needs its width")
        if self.input_filter_width == 0 and self.embed_dim != self.residual:
            raise SpecError(
                f"input_filter_width is 0, so embed_dim must equal residual; got {self.embed_dim}, wanted "
                f"{self.residual}"
            )
        if self.input_filter_width == 0 and self.input_bias:
            raise SpecError("input_bias is true, but input_filter_width 0 means there is no input convolution to bias")
        if self.global_classes and not self.global_channels:
            raise SpecError(f"global_classes is {self.global_classes}, but global_channels is 0; give it a width")
        if self.local_channels:
            raise SpecError(f"local_channels is {self.local_channels}; local conditioning is not played yet, use 0")

    @property
    def layers(self) -> int:
        return len(self.dilations)

    @property
    def input_width(self) -> int:
        """Channels of one sample before the input convolution."""
        return {"one-hot": self.q_levels, "embedding": self.embed_dim, "scalar": 1}[self.input]

    @property
    def input_history(self) -> int:
        """Levels that the input convolution needs besides the newest."""
        return max(self.input_filter_width - 1, 0)

    @property
    def receptive_field(self) -> int:
        """Samples that one prediction depends on."""
        return self.input_history + (self.filter_width - 1) * sum(self.dilations) + 1

    def has_residual(self, layer: int) -> bool:
        """Whether the residual tensors of a layer exist."""
        return self.last_residual or layer < self.layers - 1

    def tensors(self) -> list[tuple[str, Shape]]:
        R, D, S, G, K = self.residual, self.dilation, self.skip, self.global_channels, self.filter_width
        table: list[tuple[str, Shape]] = []
        if self.global_classes:
            table.append(("gcond.embed.weight", (self.global_classes, G)))
        if self.embed_dim:
            table.append(("input.embed.weight", (self.q_levels, self.embed_dim)))
        if self.input_filter_width:
            table.append(("input.conv.weight", (R, self.input_width, self.input_filter_width)))
            if self.input_bias:
                table.append(("input.conv.bias", (R,)))
        for i in range(self.layers):
            block = f"blocks.{i}"
            shapes: list[tuple[str, Shape]] = [("dilated.weight", (2 * D, R, K)), ("dilated.bias", (2 * D,))]
            if G:
                shapes.append(("gcond.weight", (2 * D, G)))
            if self.has_residual(i):
                shapes += [("res.weight", (R, D)), ("res.bias", (R,))]
            shapes += [("skip.weight", (S, D)), ("skip.bias", (S,))]
            table += [(f"{block}.{name}", shape) for name, shape in shapes if self.bias or not name.endswith("bias")]
        for i, shape in enumerate(((self.head, S), (self.output_width, self.head)), start=1):
            table.append((f"head.conv{i}.weight", shape))
            if self.head_bias:
                table.append((f"head.conv{i}.bias", shape[:1]))
        return table

    def remembered(self) -> list[StateArray]:
        """The levels before the newest that the input convolution needs, and a ring of past inputs for each layer."""
        history, past = self.input_history, self.filter_width - 1
        levels = [StateArray("input.levels", (history,), "int32")] if history else []
        rings = [StateArray(f"rings.{i}", (past * d, self.residual), "float32") for i, d in enumerate(self.dilations)]
        return levels + rings

    def stages(self) -> list[Stage]:
        """Gate and output of every layer, then the head."""
        table = []
        for i in range(self.layers):
            table.append(Stage(f"layer.{i}.gated", self.dilation, 1))
            if i < self.layers - 1:  # nothing reads the last one
                table.append(Stage(f"layer.{i}.out", self.residual, 1))
        widths = (("skip", self.skip), ("head.0", self.head), ("logits", self.output_width))
        return [*table, *(Stage(name, width, 1) for name, width in widths)]

    @property
    def lookback(self) -> int:
        """The newest level alone: all others are in the rings."""
        return 1

    @property
    def context(self) -> int:
        """One receptive field, for every window starts with empty rings."""
        return self.receptive_field

    @property
    def reach(self) -> str:
        field = self.receptive_field
        return f"receptive field {field} samples = {1000 * field / self.sample_rate:.0f} ms"

    @property
    def condition(self) -> Condition:
        """Global conditioning."""
        if not self.global_channels:
            return Unconditioned()
        if self.global_classes:
            return OneClass(self.global_classes, "gcond.embed.weight")
        return OneVector(self.global_channels)

    @property
    def default_start(self) -> str:
        return self.start

    def fan_in(self, name: str, shape: Shape) -> int:
        one_hot = name == "input.conv.weight" and self.input == "one-hot"
        return shape[2] if one_hot else math.prod(shape[1:])

    def gain(self, name: str) -> float:
        if name == "head.conv2.weight":  # a few units between logits
            return 4.0
        if name.endswith("skip.weight"):
            return 2.5 / (self.layers**0.5 * self.skip_scale)
        if name.endswith("res.weight"):
            return 2.5 * max(1 / self.residual_scale**2 - 1, 1 / self.layers) ** 0.5
        return 1.4 if name == "head.conv1.weight" else 1.0

    @property
    def levels_into(self) -> str | None:
        return {"one-hot": "input.conv.weight", "embedding": "input.embed.weight"}.get(self.input)
