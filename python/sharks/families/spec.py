"""What a model is: two frozen dataclasses, the sizes that follow from them, and the one table of tensors.

A spec holds everything an engine needs to know besides the weights. Every number is written out; nothing is derived by
a rule that another program could read differently. The table `tensors(spec)` owns the names and shapes: torch models,
packs, the reference and the C++ engine all ask it, or are checked against it.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..errors import SpecError, did_you_mean


class Stage(NamedTuple):
    """A named value inside a step: `width` floats, produced once per `period` samples."""

    name: str
    width: int
    period: int


CODECS = ("MU-R", "MU-T", "MU-N", "MU-D", "MU-S", "LIN-P", "LIN-W", "LIN-C", "LIN-D", "LIN-X")
OUTPUTS = ("categorical", "logistic-mixture", "gaussian")


@dataclass(frozen=True)
class SampleRNNSpec:
    """SampleRNN with two tiers or more (Mehri et al. 2017), and the variants that people trained.

    A frame tier `t` reads `frame_sizes[t]` samples as numbers, adds the conditioning of the tier above, runs a stack of
    recurrent layers, and hands one vector to each step of the tier below. The sample level sees the last
    `frame_sizes[0]` levels and predicts the next one.
    """

    family: ClassVar[str] = "samplernn"

    sample_rate: int = 16000  # Hz
    q_levels: int = 256
    codec: str = "MU-R"  # what a level means as amplitude; see quantize.py
    output: str = "categorical"  # mixtures are named, and refused for now

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
        _freeze_tuples(self)
        _check_common(self)
        _choice(self, "cell", ("gru", "gru-reset-before", "lstm"))
        _choice(self, "skip", ("none", "graves", "prism"))
        _choice(self, "skip_bias", ("first", "all"))
        _choice(self, "tier_input", ("linear", "decoded"))
        _choice(self, "initial_state", ("zeros", "learned"))
        _between(self, "dim", 1, 16384)
        _between(self, "layers", 1, 64)
        _between(self, "embed_dim", 0, 16384)
        _between(self, "hidden_layers", 1, 2)
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
    def lookback(self) -> int:
        """Samples of history the first prediction needs."""
        return self.frame_sizes[-1]

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


@dataclass(frozen=True)
class WaveNetSpec:
    """WaveNet (van den Oord et al. 2016): gated dilated convolutions over past levels, skips, and a head."""

    family: ClassVar[str] = "wavenet"

    sample_rate: int = 16000  # Hz
    q_levels: int = 256
    codec: str = "MU-R"
    output: str = "categorical"

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
        _freeze_tuples(self)
        _check_common(self)
        _choice(self, "input", ("one-hot", "embedding", "scalar"))
        _choice(self, "start", ("silence", "empty"))
        _between(self, "filter_width", 2, 3)
        _between(self, "input_filter_width", 0, 64)
        for name in ("residual", "dilation", "skip", "head"):
            _between(self, name, 1, 16384)
        for name in ("embed_dim", "global_channels", "global_classes"):
            _between(self, name, 0, 16384)
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

    lookback: ClassVar[int] = 1

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


Spec = SampleRNNSpec | WaveNetSpec


def to_dict(spec: Spec) -> dict[str, typing.Any]:
    """The spec as plain JSON values, `family` first."""
    fields = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
    return {"family": spec.family} | {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}


def replace(spec: Spec, **changes: typing.Any) -> Spec:
    """A copy of `spec` with fields changed; names and types are checked, lists become tuples."""
    hints = typing.get_type_hints(type(spec))
    names = [f.name for f in dataclasses.fields(spec)]
    for name, value in changes.items():
        if name not in names:
            raise SpecError(f"{spec.family} has no field {name!r}{did_you_mean(name, names)}")
        changes[name] = _as_type(name, value, hints[name])
    return dataclasses.replace(spec, **changes)


def tensors(spec: Spec) -> list[tuple[str, tuple[int, ...]]]:
    """Every tensor of a model, in pack order: (name, shape). Weights are [out, in], the last index fastest."""
    return _samplernn_tensors(spec) if isinstance(spec, SampleRNNSpec) else _wavenet_tensors(spec)


def state_tensors(spec: Spec) -> list[tuple[str, tuple[int, ...]]]:
    """Every array of a stream's state, without the leading stream axis.

    `levels` and `input.levels` are int32 (oldest first; -1 in `input.levels` is an empty place); `position`, the
    samples consumed since the reset, and `step`, the free samples drawn so far, are int64; the rest is float32.
    Rings hold layer inputs, oldest first.
    """
    table: list[tuple[str, tuple[int, ...]]] = [("levels", (spec.lookback,)), ("position", ()), ("step", ())]
    if isinstance(spec, SampleRNNSpec):
        for t in range(spec.tiers):
            table.append((f"tiers.{t}.h", (spec.layers, spec.dim)))
            if spec.cell == "lstm":
                table.append((f"tiers.{t}.c", (spec.layers, spec.dim)))
    else:
        if spec.input_history:
            table.append(("input.levels", (spec.input_history,)))
        for i, d in enumerate(spec.dilations):
            table.append((f"rings.{i}", ((spec.filter_width - 1) * d, spec.residual)))
    return table


def stages(spec: Spec) -> list[Stage]:
    """The values that survive every fold, in the order a step makes them."""
    if isinstance(spec, SampleRNNSpec):
        table = [
            Stage(f"tier.{t}.rnn.{k}", spec.dim, spec.frame_sizes[t])
            for t in reversed(range(spec.tiers))
            for k in range(spec.layers)
        ]
        return [*table, Stage("sample.hidden.last", spec.dim, 1), Stage("logits", spec.q_levels, 1)]
    table = []
    for i in range(spec.layers):
        table.append(Stage(f"layer.{i}.gated", spec.dilation, 1))
        if i < spec.layers - 1:  # nothing reads the last one
            table.append(Stage(f"layer.{i}.out", spec.residual, 1))
    return [*table, Stage("skip", spec.skip, 1), Stage("head.0", spec.head, 1), Stage("logits", spec.q_levels, 1)]


def parameters(spec: Spec) -> int:
    """How many numbers the model holds."""
    total = 0
    for _, shape in tensors(spec):
        size = 1
        for n in shape:
            size *= n
        total += size
    return total


def _samplernn_tensors(spec: SampleRNNSpec) -> list[tuple[str, tuple[int, ...]]]:
    D, G = spec.dim, spec.gates
    table: list[tuple[str, tuple[int, ...]]] = []
    for t in range(spec.tiers):
        tier = f"tiers.{t}"
        if spec.expands(t):
            table += [(f"{tier}.expand.weight", (D, spec.frame_sizes[t])), (f"{tier}.expand.bias", (D,))]
        for k in range(spec.layers):
            rnn = f"{tier}.rnn.{k}"
            # Rows: r, z, n for a GRU; i, f, g, o for an LSTM.
            table += [
                (f"{rnn}.w_ih", (G * D, spec.rnn_input(t, k))),
                (f"{rnn}.w_hh", (G * D, D)),
                (f"{rnn}.b_ih", (G * D,)),
            ]
            if spec.cell == "gru":  # its candidate gates a bias of its own; elsewhere the two would only add up
                table.append((f"{rnn}.b_hh", (G * D,)))
        if spec.initial_state == "learned":
            table.append((f"{tier}.h0", (spec.layers, D)))
            if spec.cell == "lstm":
                table.append((f"{tier}.c0", (spec.layers, D)))
        if spec.skip != "none":
            for k in range(spec.layers):
                table.append((f"{tier}.skip.{k}.weight", (D, D)))
                if spec.has_skip_bias(k):
                    table.append((f"{tier}.skip.{k}.bias", (D,)))
        table.append((f"{tier}.upsample.weight", (D, D, spec.ratio(t))))  # [in, out, phase], a transposed convolution
        if spec.upsample_bias:
            table.append((f"{tier}.upsample.bias", (spec.ratio(t), D)))
    if spec.embed_dim:
        table.append(("sample.embed.weight", (spec.q_levels, spec.embed_dim)))
    table.append(("sample.in.weight", (D, spec.sample_width, spec.frame_sizes[0])))
    for i in range(spec.hidden_layers):
        table += [(f"sample.hidden.{i}.weight", (D, D)), (f"sample.hidden.{i}.bias", (D,))]
    return [*table, ("sample.out.weight", (spec.q_levels, D)), ("sample.out.bias", (spec.q_levels,))]


def _wavenet_tensors(spec: WaveNetSpec) -> list[tuple[str, tuple[int, ...]]]:
    R, D, S, G, K = spec.residual, spec.dilation, spec.skip, spec.global_channels, spec.filter_width
    table: list[tuple[str, tuple[int, ...]]] = []
    if spec.global_classes:
        table.append(("gcond.embed.weight", (spec.global_classes, G)))
    if spec.embed_dim:
        table.append(("input.embed.weight", (spec.q_levels, spec.embed_dim)))
    if spec.input_filter_width:
        table.append(("input.conv.weight", (R, spec.input_width, spec.input_filter_width)))
        if spec.input_bias:
            table.append(("input.conv.bias", (R,)))
    for i in range(spec.layers):
        block = f"blocks.{i}"
        shapes: list[tuple[str, tuple[int, ...]]] = [("dilated.weight", (2 * D, R, K)), ("dilated.bias", (2 * D,))]
        if G:
            shapes.append(("gcond.weight", (2 * D, G)))
        if spec.has_residual(i):
            shapes += [("res.weight", (R, D)), ("res.bias", (R,))]
        shapes += [("skip.weight", (S, D)), ("skip.bias", (S,))]
        table += [(f"{block}.{name}", shape) for name, shape in shapes if spec.bias or not name.endswith("bias")]
    for i, shape in enumerate(((spec.head, S), (spec.q_levels, spec.head)), start=1):
        table.append((f"head.conv{i}.weight", shape))
        if spec.head_bias:
            table.append((f"head.conv{i}.bias", shape[:1]))
    return table


def _check_common(spec: Spec) -> None:
    _between(spec, "sample_rate", 1000, 384000)
    _between(spec, "q_levels", 2, 65536)
    _choice(spec, "codec", CODECS)
    _choice(spec, "output", OUTPUTS)
    if spec.output != "categorical":
        raise SpecError(f"output is {spec.output!r}; only 'categorical' can be trained and played so far")


def _freeze_tuples(spec: Spec) -> None:
    for f in dataclasses.fields(spec):
        if isinstance(getattr(spec, f.name), list):
            object.__setattr__(spec, f.name, tuple(getattr(spec, f.name)))


def _between(spec: Spec, name: str, low: int, high: int) -> None:
    value = getattr(spec, name)
    if not low <= value <= high:
        raise SpecError(f"{name} is {value}; wanted {low} to {high}")


def _choice(spec: Spec, name: str, known: tuple[str, ...]) -> None:
    value = getattr(spec, name)
    if value not in known:
        raise SpecError(f"{name} is {value!r}{did_you_mean(str(value), known)}")


def _as_type(name: str, value: typing.Any, hint: typing.Any) -> typing.Any:
    """`value` if it has the field's type (an int passes for a float, a list for a tuple of ints), else SpecError."""
    if hint == tuple[int, ...]:
        if isinstance(value, (list, tuple)) and all(type(v) is int for v in value):
            return tuple(value)
        raise SpecError(f"{name} is {value!r}; wanted a list of whole numbers")
    if hint is float and type(value) in (int, float):
        return float(value)
    if type(value) is not hint:
        raise SpecError(f"{name} is {value!r}; wanted {hint.__name__}")
    return value
