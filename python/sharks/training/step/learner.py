"""One model while it learns: a step of the optimiser, the state carried between chunks, and all of it as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import Error, UsageError
from ...families.initialise import initialise
from ...families.registry import torch_model
from ...families.spec import Spec
from ...families.torch_parts.nll import BITS
from ...recipes.recipe import TrainRecipe
from ..music.batches import Batch
from . import memory, precision
from .compiled import compile_layers
from .cores import Cores, how_many
from .optimiser import Arrays, Optimiser, array
from .processes import Processes

State = dict[str, Tensor]


class Diverged(Error):
    """The loss is no number any more."""


class Learner:
    """`model` learns; `listener` is what a pack holds: the same model, or the moving average of its weights."""

    def __init__(
        self,
        spec: Spec,
        train: TrainRecipe,
        device: torch.device,
        seed: int = 0,
        counts: np.ndarray | None = None,
        processes: Processes | None = None,
        tell: Callable[[str], None] = lambda line: None,
        constants: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """`counts` [Q]: how often each level occurs in the training music; see `families.initialise`.

        `processes`: the processes that share the recipe's batch, of which each then has only its own streams; None is
        this one alone. `constants`: the tensors of `spec.constants()`, which are not learnt.
        """
        self.spec, self.train, self.device, self.seed = spec, train, device, seed
        self.dtype = precision.dtype(train.precision)
        self.processes = Processes(device, alone=True) if processes is None else processes
        if device.type == "cpu":
            memory.check(spec, train, self.processes.size)
        self.model = torch_model(spec, train.weight_norm)
        initialise(self.model, train.initialiser, seed, train.forget_bias, counts)
        self._set(constants or {})
        self._take_chances()
        self.model.to(device)
        self.listener = self.model
        if train.ema:
            self.listener = torch_model(spec, train.weight_norm).to(device)
            self.listener.load_state_dict(self.model.state_dict())
        if train.compiled:
            compile_layers(self.model, tell)
        self.cores = Cores(self._useful_cores())
        held = dict(self.model.named_parameters())
        self._parameters = {name: p for name, p in held.items() if p.requires_grad}
        self._constants = {name: p for name, p in held.items() if not p.requires_grad}
        self._optimiser = Optimiser(self._parameters, train)
        self._state: State | None = None
        self.steps = 0  # done

    def learn(self, batch: Batch, rate: float) -> float:
        """One step at a learning rate: the batch's NLL in bits before it. Raises `Diverged` and changes nothing."""
        nats, state = self._gradients(batch)
        bits = BITS * self.processes.add_up([nats])[0]
        if not math.isfinite(bits):
            raise Diverged(
                f"the loss is {bits} at step {self.steps + 1}; run the same again with a smaller train.learning_rate"
            )
        self.processes.add_up_in_place([p.grad for p in self._parameters.values() if p.grad is not None])
        if self.train.clip == "value":
            torch.nn.utils.clip_grad_value_(self._parameters.values(), self.train.clip_at)
        elif self.train.clip == "norm":
            torch.nn.utils.clip_grad_norm_(self._parameters.values(), self.train.clip_at)
        self.steps += 1
        self._optimiser.step(rate, self.steps)
        self._state = state
        if self.train.ema:
            self._follow()
        return bits

    def rehearse(self, batch: Batch, pieces: int | None = None) -> None:
        """The work of a step without its consequences, by this process alone: to measure time and memory."""
        self._gradients(batch, pieces)
        self._forget_gradients()

    def listen(self, levels: np.ndarray, context: int) -> float:
        """The listener's mean NLL in bits over all stretches `levels` [B, context + length], each started fresh."""
        self.listener.eval()
        shares = np.array_split(levels, min(len(levels), max(self.cores.count, self.train.pieces)))
        heard = self.cores.each(lambda share: len(share) * self._heard(share, context), shares)
        return sum(heard) / len(levels)

    def weights(self) -> Arrays:
        """What a pack holds: the listener's tensors in table order."""
        return self.listener.export()

    def arrays(self) -> Arrays:
        """Everything that decides the future: parameters, moments, average, carried state, steps.

        Every process must ask, since each carries the state of its own streams.
        """
        found: Arrays = {"steps": np.array(self.steps, np.int64)}
        found |= {f"model.{name}": array(p) for name, p in (self._parameters | self._constants).items()}
        found |= self._optimiser.arrays()
        if self.train.ema:
            found |= {f"average.{name}": array(p) for name, p in self.listener.named_parameters()}
        carried = {name: self.processes.gather(value) for name, value in (self._state or {}).items()}
        return found | {f"state.{name}": array(value) for name, value in carried.items()}

    def begin_as(self, weights: Arrays) -> None:
        """Let the first weights be those of a pack of the same model."""
        for model in (self.model, self.listener):
            model.load(weights)

    @torch.no_grad()
    def restore(self, arrays: Arrays) -> None:
        """Put back what `arrays()` gave."""
        self.steps = int(arrays["steps"])
        average = dict(self.listener.named_parameters())
        for name, p in self._parameters.items():
            p.copy_(self._tensor(arrays[f"model.{name}"]))
            if self.train.ema:
                average[name].copy_(self._tensor(arrays[f"average.{name}"]))
        self._optimiser.restore(arrays, self.steps)
        carried = {n.removeprefix("state."): self._tensor(a) for n, a in arrays.items() if n.startswith("state.")}
        mine = self.processes.part(self.train.batch)
        self._state = {name: value[mine] for name, value in carried.items()} or None

    @torch.no_grad()
    def _set(self, constants: Mapping[str, np.ndarray]) -> None:
        held = dict(self.model.named_parameters())
        for name, value in constants.items():
            held[name].copy_(torch.from_numpy(np.array(value)))

    def _take_chances(self) -> None:
        """`UsageError` where the recipe wants what this model has no use for."""
        for name in ("dropout", "noise"):
            value = getattr(self.train, name)
            if value and not self.model.takes_chances:
                raise UsageError(f"train.{name} is {value}, which does nothing to a {self.spec.family}; set it to 0")
            setattr(self.model, name, value)

    def _chance(self, start: int) -> torch.Generator | None:
        """Where a piece's chances come from: the same for a seed, a step and a piece, on any number of cores."""
        if not (self.train.dropout or self.train.noise):
            return None
        first = self.processes.part(self.train.batch).start + start
        return torch.Generator().manual_seed((self.seed * 0x9E3779B1 + self.steps * 0x10001 + first) % (1 << 63))

    def _forget_gradients(self) -> None:
        for p in self._parameters.values():
            p.grad = None

    def _useful_cores(self) -> int:
        if self.device.type != "cpu" or self.train.compiled:  # a compiled model is not for two threads at once
            return 1
        mine = self.processes.part(self.train.batch)
        return how_many(mine.stop - mine.start, self.model.fewest_streams)

    def _gradients(self, batch: Batch, pieces: int | None = None) -> tuple[float, State]:
        """Gradients of this process's part of the NLL into the parameters: that part in nats, and the state after it.

        The streams are taken in so many pieces, whose gradients add up in order, whichever core takes which.
        """
        self.model.train()
        self._forget_gradients()
        levels = torch.from_numpy(batch.levels).to(self.device)
        count = max(1, len(levels) // (pieces or self.train.pieces or self.cores.count))
        parameters = list(self._parameters.values())

        def piece(start: int) -> tuple[float, Sequence[Tensor | None], State]:
            some = slice(start, start + count)
            entered = self._enter(batch.fresh, some)  # here, for every piece needs a graph of its own
            chance = self._chance(start)
            loss, end = self.model.nll(levels[some], self.train.chunk_len, entered, self.dtype, draw=chance)
            loss = loss * (len(levels[some]) / self.train.batch)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            return float(loss.detach()), gradients, {name: value.detach() for name, value in end.items()}

        nats, ends = 0.0, []
        for loss, gradients, end in self.cores.each(piece, range(0, len(levels), count)):
            nats += loss
            ends.append(end)
            _add_gradients(parameters, gradients)
        return nats, {name: torch.cat([end[name] for end in ends]) for name in ends[0]}

    @torch.no_grad()
    def _heard(self, levels: np.ndarray, context: int) -> float:
        """Mean NLL in bits of the stretches `levels`, on one core."""
        given = torch.from_numpy(levels).to(self.device)
        total, state = 0.0, None
        for start in range(context, levels.shape[1], self.train.chunk_len):
            stop = min(start + self.train.chunk_len, levels.shape[1])
            loss, state = self.listener.nll(given[:, start - context : stop], stop - start, state)
            total += float(loss) * BITS * (stop - start)
        return total / (levels.shape[1] - context)

    def _enter(self, fresh: np.ndarray, some: slice) -> State | None:
        """The carried state of some streams, with the initial one where a stream starts anew (`fresh`, of all)."""
        if not self.spec.carries_state:
            return None
        start = self.model.initial_state(len(fresh[some]))
        if self.train.initial_noise:
            start = {name: value + self._noise(value, some) for name, value in start.items()}
        if not self._state:
            return start
        anew = torch.from_numpy(fresh[some]).to(self.device)
        carried = {name: value[: len(fresh)][some] for name, value in self._state.items()}
        return {n: torch.where(anew.view(-1, *[1] * (v.dim() - 1)), start[n], v) for n, v in carried.items()}

    def _noise(self, state: Tensor, some: slice) -> Tensor:
        """What a state begins with besides: the same for a seed, a step and a stream, on any number of processes."""
        draw = torch.Generator().manual_seed((self.seed * 0x9E3779B1 + self.steps) % (1 << 63))
        whole = torch.randn((self.train.batch, *state.shape[1:]), generator=draw)
        first = self.processes.part(self.train.batch).start
        return self.train.initial_noise * whole[first:][some].to(self.device)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the model; faster in the beginning, while it still holds first weights."""
        keep = min(self.train.ema, (1 + self.steps) / (10 + self.steps))
        for average, p in zip(self.listener.parameters(), self.model.parameters(), strict=True):
            average.lerp_(p, 1 - keep)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(array)).to(self.device)


def learning_rate(train: TrainRecipe, step: int, progress: float) -> float:
    """The rate of `step`, counted from 0, when `progress` (0 to 1) of the training is done."""
    rate = train.learning_rate
    if step < train.warmup_steps:
        rate *= (step + 1) / train.warmup_steps
    if train.decay == "cosine":
        rate *= train.final_rate + (1 - train.final_rate) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    elif train.decay == "halving":
        rate *= 0.5 ** (step // train.halve_every)
    return rate


def _add_gradients(parameters: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
    """Add to the gradients of parameters; None where a parameter had no part."""
    for p, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            continue
        if p.grad is None:  # the optimiser reads gradients as they lie in memory: as their parameters do, each its own
            p.grad = torch.zeros_like(p)
        p.grad.add_(gradient)
