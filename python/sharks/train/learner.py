"""One model while it learns: a step of the optimiser, the state carried between chunks, and all of it as arrays."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ..errors import Error
from ..models import BITS, SampleRNN, WaveNet, build, initialise
from ..presets import TrainRecipe
from ..spec import Spec
from .dataset import Batch

Arrays = dict[str, np.ndarray]
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
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`counts` [Q]: how often each level occurs in the training music; see `models.initialise`.

        `dtype` of the products while it learns. What it is, and what the listener hears with, is float32.
        """
        self.spec, self.train, self.device, self.dtype = spec, train, device, dtype
        self.model = build(spec, train.weight_norm)
        initialise(self.model, train.initialiser, seed, train.forget_bias, counts)
        self.model.to(device)
        self.listener = self.model
        if train.ema:
            self.listener = build(spec, train.weight_norm).to(device)
            self.listener.load_state_dict(self.model.state_dict())
        self._parameters = dict(self.model.named_parameters())
        betas = (train.beta1, train.beta2)
        self._adam = torch.optim.Adam(self._parameters.values(), train.learning_rate, betas, train.epsilon, fused=True)
        self._state: State | None = None
        self.steps = 0  # done

    def learn(self, batch: Batch, rate: float) -> float:
        """One step at a learning rate: the batch's NLL in bits before it. Raises `Diverged` and changes nothing."""
        bits, state = self._slopes(batch)
        if not math.isfinite(bits):
            raise Diverged(
                f"the loss is {bits} at step {self.steps + 1}; run the same again with a smaller train.learning_rate"
            )
        if self.train.clip == "value":
            torch.nn.utils.clip_grad_value_(self._parameters.values(), self.train.clip_at)
        elif self.train.clip == "norm":
            torch.nn.utils.clip_grad_norm_(self._parameters.values(), self.train.clip_at)
        self.steps += 1
        for group in self._adam.param_groups:
            group["lr"] = rate
            group["eps"] = epsilon(self.train, self.steps)
        self._adam.step()
        self._state = {name: value.detach() for name, value in state.items()}
        if self.train.ema:
            self._follow()
        return bits

    def rehearse(self, batch: Batch) -> None:
        """The work of a step without its consequences: to measure time and memory."""
        self._slopes(batch)
        self._adam.zero_grad()

    @torch.no_grad()
    def listen(self, levels: np.ndarray, context: int) -> float:
        """The listener's mean NLL in bits over all stretches `levels` [B, context + length], each started fresh."""
        self.listener.eval()
        given = torch.from_numpy(levels).to(self.device)
        total, state = 0.0, None
        for start in range(context, levels.shape[1], self.train.chunk_len):
            stop = min(start + self.train.chunk_len, levels.shape[1])
            loss, state = self._nll(self.listener, given[:, start - context : stop], stop - start, state, torch.float32)
            total += float(loss) * BITS * (stop - start)
        return total / (levels.shape[1] - context)

    def weights(self) -> Arrays:
        """What a pack holds: the listener's tensors in table order."""
        return self.listener.export()

    def arrays(self) -> Arrays:
        """Everything that decides the future: parameters, moments, average, carried state, steps."""
        found: Arrays = {"steps": np.array(self.steps, np.int64)}
        for name, p in self._parameters.items():
            found[f"model.{name}"] = _array(p)
            for moment in ("exp_avg", "exp_avg_sq"):
                value = self._adam.state[p].get(moment) if p in self._adam.state else None
                found[f"adam.{moment}.{name}"] = _array(torch.zeros_like(p) if value is None else value)
        if self.train.ema:
            found |= {f"average.{name}": _array(p) for name, p in self.listener.named_parameters()}
        return found | {f"state.{name}": _array(value) for name, value in (self._state or {}).items()}

    @torch.no_grad()
    def restore(self, arrays: Arrays) -> None:
        """Put back what `arrays()` gave."""
        self.steps = int(arrays["steps"])
        average = dict(self.listener.named_parameters())
        for name, p in self._parameters.items():
            p.copy_(self._tensor(arrays[f"model.{name}"]))
            moments = {m: self._tensor(arrays[f"adam.{m}.{name}"]) for m in ("exp_avg", "exp_avg_sq")}
            step = torch.tensor(float(self.steps), device=p.device)
            self._adam.state[p] = {"step": step, **moments}
            if self.train.ema:
                average[name].copy_(self._tensor(arrays[f"average.{name}"]))
        carried = {n.removeprefix("state."): self._tensor(a) for n, a in arrays.items() if n.startswith("state.")}
        self._state = carried or None

    def _slopes(self, batch: Batch) -> tuple[float, State]:
        """Gradients of the batch's NLL into the parameters: its bits, and the state after it."""
        self.model.train()
        self._adam.zero_grad()
        levels = torch.from_numpy(batch.levels).to(self.device)
        loss, state = self._nll(self.model, levels, self.train.chunk_len, self._enter(batch.fresh), self.dtype)
        loss.backward()
        return float(loss.detach()) * BITS, state

    def _nll(
        self, model: SampleRNN | WaveNet, levels: Tensor, predicted: int, state: State | None, dtype: torch.dtype
    ) -> tuple[Tensor, State]:
        """Mean NLL in nats of the last `predicted` levels, and the state to carry on with (WaveNet carries none)."""
        if isinstance(model, SampleRNN):
            return model.nll(levels, state, dtype)
        return model.nll(levels, predicted, dtype=dtype), {}

    def _enter(self, fresh: np.ndarray) -> State | None:
        """The carried state, with the initial one where a stream starts anew."""
        if not self._state or not isinstance(self.model, SampleRNN):
            return None
        start = self.model.initial_state(len(fresh))
        anew = torch.from_numpy(fresh).to(self.device)[:, None, None]
        return {name: torch.where(anew, start[name], value) for name, value in self._state.items()}

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


def epsilon(train: TrainRecipe, steps: int) -> float:
    """What torch's Adam must add to sqrt(v) / sqrt(1 - beta2^t) at its step `steps`, from 1, for the recipe's form.

    The form of Kingma and Ba's "epsilon hat", which TensorFlow and Lasagne use, adds it before that correction.
    """
    return train.epsilon / math.sqrt(1 - train.beta2**steps) if train.epsilon_form == "hat" else train.epsilon


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().copy()
