"""What a SampleRNN is, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import SpecError
from ...levels.quantize import codec_of
from ..spec import Shape, Spec, Stage, StateArray
from .tables import tier_input_table


@dataclass(frozen=True)
class SampleRNNSpec(Spec):
    """SampleRNN with two tiers or more (Mehri et al. 2017), and the variants that people trained.

    A frame tier `t` reads `frame_sizes[t]` samples as numbers, adds the conditioning of the tier above, runs a stack of
    recurrent layers, and hands one vector to each step of the tier below. The sample level sees the last
    `frame_sizes[0]` levels and predicts the next one.

    >>> sharks.SampleRNNSpec(frame_sizes=(4, 16), dim=512, cell="lstm").lookback
    16
    """

    family: ClassVar[str] = "samplernn"
    carries_state: ClassVar[bool] = True
    initialisers: ClassVar[tuple[str, ...]] = ("iclr", "keras")
    logits_from: ClassVar[str] = "sample.out"

    frame_sizes: tuple[int, ...] = (16,)  # absolute samples per step of each frame tier, lowest first
    dim: int = 1024
    cell: str = "gru"  # "gru" resets after the product, "gru-reset-before" before it, "lstm"
    layers: int = 1  # recurrent layers in every tier
    skip: str = "none"  # "graves": deeper layers also see the tier's input; "prism": the first layer sees it twice
    skip_bias: str = "first"  # which skip products carry a bias when skip is on: "first" or "all"
    expand_top: bool = True  # the top tier's frame passes a linear layer before the recurrent stack
    expand_lower: bool = True  # the same for lower tiers, where the conditioning needs it
    tier_input: str = "linear"  # "linear": 2(l/(Q/2)-1), even for mu-law; "decoded": twice the decoded amplitude
    upsample_bias: bool = False  # one bias vector per phase of the upsampling
    initial_state: str = "zeros"  # or "learned"
    embed_dim: int = 256  # of a level at the sample level; 0 feeds one-hot vectors
    relu_before_hidden: bool = False  # an activation between the sample input and the first hidden layer
    hidden_layers: int = 2  # 1 or 2
    relu_logits: bool = False  # the original 1000sharks runs had it; no logit can fall below zero

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_choice("cell", ("gru", "gru-reset-before", "lstm"))
        self._check_choice("skip", ("none", "graves", "prism"))
        self._check_choice("skip_bias", ("first", "all"))
        self._check_choice("tier_input", ("linear", "decoded"))
        self._check_choice("initial_state", ("zeros", "learned"))
        self._check_between("dim", 1, 16384)
        self._check_between("layers", 1, 64)
        self._check_between("embed_dim", 0, 16384)
        self._check_between("hidden_layers", 1, 2)
        if not self.frame_sizes:
            raise SpecError("frame_sizes is empty; name the samples per frame of at least one tier, such as (16,)")
        for i, size in enumerate(self.frame_sizes):
            below = self.frame_sizes[i - 1] if i else 0
            if not below < size <= 65536 or (below and size % below):
                raise SpecError(
                    f"frame_sizes is {self.frame_sizes}; each must be a larger multiple of the one before, up to 65536"
                )
        if self.skip == "graves" and self.layers < 2:
            raise SpecError("skip='graves' joins layers, but layers is 1; use layers=2 or more, or skip='none'")
        if not self.expand_lower and len(self.frame_sizes) > 1:
            raise SpecError("expand_lower is false, but a lower tier has conditioning to add; set it to true")

    @property
    def tiers(self) -> int:
        return len(self.frame_sizes)

    @property
    def gates(self) -> int:
        return 4 if self.cell == "lstm" else 3

    @property
    def sample_width(self) -> int:
        """Channels of one level at the sample level: the embedding, or the one-hot vector."""
        return self.embed_dim or self.q_levels

    def ratio(self, tier: int) -> int:
        """Steps of the tier below per step of `tier`."""
        return self.frame_sizes[tier] // (self.frame_sizes[tier - 1] if tier else 1)

    def expands(self, tier: int) -> bool:
        return self.expand_top if tier == self.tiers - 1 else self.expand_lower

    def tier_width(self, tier: int) -> int:
        """Width of what the recurrent stack of `tier` reads."""
        return self.dim if self.expands(tier) else self.frame_sizes[tier]

    def rnn_input(self, tier: int, layer: int) -> int:
        """Input width of one recurrent layer, skip wiring included."""
        if layer == 0:
            return self.tier_width(tier) * (2 if self.skip == "prism" else 1)
        return self.dim + (self.tier_width(tier) if self.skip == "graves" else 0)

    def has_skip_bias(self, layer: int) -> bool:
        return self.skip_bias == "all" or layer == 0

    def tensors(self) -> list[tuple[str, Shape]]:
        D, G = self.dim, self.gates
        table: list[tuple[str, Shape]] = []
        for t in range(self.tiers):
            tier = f"tiers.{t}"
            if self.expands(t):
                table += [(f"{tier}.expand.weight", (D, self.frame_sizes[t])), (f"{tier}.expand.bias", (D,))]
            for k in range(self.layers):
                rnn = f"{tier}.rnn.{k}"
                # Rows: r, z, n for a GRU; i, f, g, o for an LSTM.
                table += [
                    (f"{rnn}.w_ih", (G * D, self.rnn_input(t, k))),
                    (f"{rnn}.w_hh", (G * D, D)),
                    (f"{rnn}.b_ih", (G * D,)),
                ]
                if self.cell == "gru":  # its candidate gates a bias of its own; elsewhere the two would only add up
                    table.append((f"{rnn}.b_hh", (G * D,)))
            if self.initial_state == "learned":
                table.append((f"{tier}.h0", (self.layers, D)))
                if self.cell == "lstm":
                    table.append((f"{tier}.c0", (self.layers, D)))
            if self.skip != "none":
                for k in range(self.layers):
                    table.append((f"{tier}.skip.{k}.weight", (D, D)))
                    if self.has_skip_bias(k):
                        table.append((f"{tier}.skip.{k}.bias", (D,)))
            # [in, out, phase], a transposed convolution.
            table.append((f"{tier}.upsample.weight", (D, D, self.ratio(t))))
            if self.upsample_bias:
                table.append((f"{tier}.upsample.bias", (self.ratio(t), D)))
        if self.embed_dim:
            table.append(("sample.embed.weight", (self.q_levels, self.embed_dim)))
        table.append(("sample.in.weight", (D, self.sample_width, self.frame_sizes[0])))
        for i in range(self.hidden_layers):
            table += [(f"sample.hidden.{i}.weight", (D, D)), (f"sample.hidden.{i}.bias", (D,))]
        return [*table, ("sample.out.weight", (self.output_width, D)), ("sample.out.bias", (self.output_width,))]

    def remembered(self) -> list[StateArray]:
        """The hidden states of every tier, and the cells of an LSTM."""
        kinds = "hc" if self.cell == "lstm" else "h"
        shape = (self.layers, self.dim)
        return [StateArray(f"tiers.{t}.{kind}", shape, "float32") for t in range(self.tiers) for kind in kinds]

    def stages(self) -> list[Stage]:
        """The recurrent layers, top tier first, each once per frame; then the sample level."""
        tiers = reversed(range(self.tiers))
        table = [Stage(f"tier.{t}.rnn.{k}", self.dim, self.frame_sizes[t]) for t in tiers for k in range(self.layers)]
        return [*table, Stage("sample.hidden.last", self.dim, 1), Stage("logits", self.output_width, 1)]

    def tables(self) -> dict[str, NDArray[np.float32]]:
        return super().tables() | {"codec.tier_input": tier_input_table(self.tier_input, codec_of(self))}

    @property
    def lookback(self) -> int:
        """The largest frame."""
        return self.frame_sizes[-1]

    @property
    def context(self) -> int:
        """The largest frame: what came before it is in the state."""
        return self.lookback

    @property
    def reach(self) -> str:
        return f"recurrent, {self.tiers} frame tiers of {', '.join(map(str, self.frame_sizes))} samples"

    def fan_in(self, name: str, shape: Shape) -> int:
        if name.endswith("upsample.weight"):  # [in, out, phase]
            return shape[0]
        one_hot = name == "sample.in.weight" and not self.embed_dim
        return shape[2] if one_hot else math.prod(shape[1:])

    def gain(self, name: str) -> float:
        if name == "sample.out.weight" or name.endswith("w_ih"):  # a few units between logits; open gates
            return 2.5
        return 1.4 if name.startswith(("sample.hidden", "tiers")) else 1.0

    def period(self, name: str) -> int:
        """A frame tier works once per frame."""
        return self.frame_sizes[int(name.split(".")[1])] if name.startswith("tiers.") else 1

    def forget_rows(self, name: str) -> slice:
        """The second gate of an LSTM."""
        return slice(self.dim, 2 * self.dim) if self.cell == "lstm" and name.endswith(".b_ih") else slice(0)

    @property
    def levels_into(self) -> str:
        return "sample.embed.weight" if self.embed_dim else "sample.in.weight"
