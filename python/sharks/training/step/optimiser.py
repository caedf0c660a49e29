"""How gradients become steps: Adam, or Muon for the products inside a model with Adam for all that is around them.

Adam: Kingma and Ba, arXiv:1412.6980. Muon: Jordan et al. 2024 (kellerjordan.github.io/posts/muon), which takes a step
of the same length in every direction that a matrix can turn; its rate is scaled as by Liu et al., arXiv:2502.16982, so
that one learning rate serves both. It amplifies rounding: processes that share a batch should run on machines alike.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ...recipes.recipe import TrainRecipe

Arrays = dict[str, np.ndarray]

_MOMENTS = ("exp_avg", "exp_avg_sq")
_MOMENTUM = 0.95  # of Muon, in Nesterov's form
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # a x + b x^3 + c x^5 drives every singular value towards 1
_ROUNDS = 5
_LIKE_ADAM = 0.2  # root mean square of a step, per unit of the rate: about Adam's own
# What meets levels or logits, or expands a frame, has rows that stand for something, and states are no products: all
# those are Adam's, as are all biases, and the lengths of weight norm.
_EDGES = (
    *("embed.weight", "input.conv.weight", "sample.in.weight", "expand.weight"),
    *(".out.weight", "head.conv2.weight", ".h0", ".c0", "prior.in.weight", "partial.weight"),
)


class Optimiser:
    """Moves parameters by their gradients, and remembers what the next step needs."""

    def __init__(self, parameters: dict[str, torch.nn.Parameter], train: TrainRecipe) -> None:
        self._train = train
        turned = [n for n, p in parameters.items() if train.optimiser == "muon" and is_inside(n, p)]
        self._turned = {name: parameters[name] for name in turned}
        self._others = {name: p for name, p in parameters.items() if name not in self._turned}
        self._momentum = {name: torch.zeros_like(p) for name, p in self._turned.items()}
        betas = (train.beta1, train.beta2)
        self._adam = torch.optim.Adam(self._others.values(), train.learning_rate, betas, train.epsilon, fused=True)

    @torch.no_grad()
    def step(self, rate: float, steps: int) -> None:
        """The step number `steps`, counted from 1, at a learning rate."""
        for group in self._adam.param_groups:
            group["lr"] = rate
            group["eps"] = epsilon(self._train, steps)
        self._adam.step()
        for name, p in self._turned.items():
            if p.grad is None:
                continue
            momentum = self._momentum[name].mul_(_MOMENTUM).add_(p.grad)
            turn = orthogonal(p.grad.add(momentum, alpha=_MOMENTUM).flatten(1))
            p.add_(turn.view_as(p), alpha=-rate * _LIKE_ADAM * math.sqrt(max(turn.shape)))

    def arrays(self) -> Arrays:
        """What is remembered, by name."""
        found: Arrays = {}
        for name, p in self._others.items():
            for moment in _MOMENTS:
                value = self._adam.state[p].get(moment) if p in self._adam.state else None
                found[f"adam.{moment}.{name}"] = array(torch.zeros_like(p) if value is None else value)
        return found | {f"muon.{name}": array(value) for name, value in self._momentum.items()}

    @torch.no_grad()
    def restore(self, arrays: Arrays, steps: int) -> None:
        """Put back what `arrays()` gave after so many steps."""
        for name, p in self._others.items():
            moments = {m: torch.from_numpy(arrays[f"adam.{m}.{name}"].copy()).to(p.device) for m in _MOMENTS}
            self._adam.state[p] = {"step": torch.tensor(float(steps), device=p.device), **moments}
        for name, value in self._momentum.items():
            value.copy_(torch.from_numpy(arrays[f"muon.{name}"].copy()))


def is_inside(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a product between hidden channels, which Muon may turn."""
    whole = name.removesuffix("_v")
    return parameter.dim() >= 2 and not whole.endswith(("_g", ".bias", *_EDGES))


def orthogonal(gradient: Tensor) -> Tensor:
    """About the nearest matrix to `gradient` [out, in] that keeps lengths: its singular values become 0.7 to 1.2.

    Newton and Schulz's iteration; a matrix of zeros stays one.
    """
    a, b, c = _POLYNOMIAL
    x = gradient.t() if gradient.shape[0] > gradient.shape[1] else gradient
    x = x / (torch.linalg.matrix_norm(x) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.t()
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.t() if gradient.shape[0] > gradient.shape[1] else x


def epsilon(train: TrainRecipe, steps: int) -> float:
    """What torch's Adam must add to sqrt(v) / sqrt(1 - beta2^t) at its step `steps`, from 1, for the recipe's form.

    The form of Kingma and Ba's "epsilon hat", which TensorFlow and Lasagne use, adds it before that correction.
    """
    return train.epsilon / math.sqrt(1 - train.beta2**steps) if train.epsilon_form == "hat" else train.epsilon


def array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().copy()
