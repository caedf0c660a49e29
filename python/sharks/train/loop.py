"""The training loop: learn, write down, validate, keep, preview; stop and go on as if nothing had happened.

Everything that decides the next step is in the checkpoint, and the batch of a step is a function of its number, so a
run that was interrupted ends with the same losses and weights, bit for bit on a CPU, as one that was not. (A budget in
hours is the exception: it looks at the clock.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import pathlib
import signal
import threading
import time
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from ..dataset import Dataset, level_counts, pcm_counts
from ..errors import Error
from ..pack import Pack, load
from ..presets import Recipe
from ..quantize import codec
from ..spec import Spec, parameters
from . import checkpoint, previews, rundir
from .dataset import Training, Validation
from .display import Display, Plan
from .learner import Learner, learning_rate


@dataclass
class Job:
    """What `train` was asked for, resolved."""

    dataset: Dataset
    folder: pathlib.Path
    preset: str
    spec: Spec
    recipe: Recipe
    seed: int
    hours: float | None
    device: torch.device
    resume: bool
    display: Callable[[Plan], Display]


@dataclass
class Progress:
    """What a checkpoint keeps besides the learner's arrays."""

    best_step: int | None = None
    best_nll: float = math.inf  # bits
    nll: float = math.nan  # bits, at the last validation
    hours: float = 0.0  # spent training, in all sessions
    tracks: dict[str, float] = field(default_factory=dict)  # bits of each held-out track at the last validation


class Stopped(Exception):
    """Someone asked to stop while the best checkpoint was judged, which can be done again."""


class Loop:
    def __init__(self, job: Job) -> None:
        self.job, self.recipe = job, job.recipe.train
        self.checkpoints = job.folder / rundir.CHECKPOINTS
        self.training = Training(job.dataset, job.spec, job.recipe, job.seed)
        self.law = codec(job.spec)
        counts = level_counts(pcm_counts(job.dataset.train), self.law)
        self.learner = Learner(job.spec, self.recipe, job.device, job.seed, counts)
        self.progress = Progress()
        train_bits, val_bits = job.dataset.order0(self.law)
        self.order0 = val_bits if math.isfinite(val_bits) else train_bits
        found, self._passed_over = checkpoint.newest(self.checkpoints) if job.resume else (None, [])
        if found:
            self.learner.restore(found.arrays)
            self.progress = Progress(**found.facts)
            self._mend_best()

    @property
    def finished(self) -> bool:
        return self._share_done() >= 1

    def run(self) -> float:
        """Train to the end of the budget, then judge the best checkpoint: its NLL in bits on all held-out music.

        Ctrl-C or SIGTERM: a checkpoint, then `KeyboardInterrupt`. What was done by an earlier call is not done again.
        """
        known = _judged(self.job.folder, self.progress.best_step) if self.finished else None
        if known is not None:
            return known
        log = rundir.Log(self.job.folder, self.learner.steps)
        screen = self.job.display(self._plan())
        for sentence in self._passed_over:
            screen.say(f"passed over: {sentence}")
        if self.learner.steps:
            screen.say(f"goes on after step {self.learner.steps:,}")
        validation = Validation(self.job.dataset, self.job.spec, self.job.recipe, self.recipe.validate_seconds)
        saved = self.learner.steps
        with _asked_to_stop() as stop, contextlib.closing(log):
            began = time.monotonic() - 3600 * self.progress.hours
            while not self.finished and not stop.is_set():
                rate = learning_rate(self.recipe, self.learner.steps, self._share_done())
                nll = self.learner.learn(self.training.at(self.learner.steps), rate)
                step = self.learner.steps
                self.progress.hours = (time.monotonic() - began) / 3600
                last = self.finished
                log.write(step=step, nll=nll)
                screen.step(step, nll)
                keep = last or step % self.recipe.checkpoint_every == 0
                if keep or step % self.recipe.validate_every == 0:
                    self._validate(validation, keep)
                    if self.progress.tracks:
                        log.write(step=step, validation=self.progress.nll, tracks=self.progress.tracks)
                        screen.validated(step, self.progress.nll, self.progress.best_step == step)
                if last or step % self.recipe.preview_every == 0:
                    self._preview(log, screen)  # before the save: a checkpoint's log knows all that came before it
                if keep:
                    self._save(log)
                    saved = step
            if saved != self.learner.steps:
                self._save(log)
            if self.finished:
                with contextlib.suppress(Stopped):
                    return self._judge(log, screen, stop)
        screen.say(f"interrupted after step {self.learner.steps:,}; the same command goes on from there")
        raise KeyboardInterrupt

    def _judge(self, log: rundir.Log, screen: Display, stop: threading.Event) -> float:
        step, best = self.learner.steps, self.progress.best_step
        everything = Validation(self.job.dataset, self.job.spec, self.job.recipe, None)
        if best is None or not everything.stretches:
            return math.nan
        if best != step:
            self.learner.restore(checkpoint.read(self.checkpoints, best).arrays)
        nll, tracks = self._hear(everything, stop)
        self.learner.steps = step
        log.write(step=step, best=best, held_out=nll, tracks=tracks)
        screen.say(
            f"best.safetensors is step {best:,}: {nll:.3f} bits on all held-out music, "
            f"{self.order0 - nll:.2f} under order-0"
        )
        return nll

    def _share_done(self) -> float:
        """Of the budget, by steps or by hours, whichever ends first."""
        by_steps = self.learner.steps / max(1, self.recipe.steps)
        return by_steps if self.job.hours is None else max(by_steps, self.progress.hours / self.job.hours)

    def _validate(self, validation: Validation, may_be_best: bool) -> None:
        """The best is the lowest NLL among checkpoints; without held-out music, the newest."""
        self.progress.nll, self.progress.tracks = self._hear(validation)
        if may_be_best and not self.progress.nll >= self.progress.best_nll:
            self.progress.best_step, self.progress.best_nll = self.learner.steps, self.progress.nll

    def _hear(self, validation: Validation, stop: threading.Event | None = None) -> tuple[float, dict[str, float]]:
        """NLL in bits over all stretches, and of each track."""
        heard: dict[str, list[float]] = {}
        for track, stretches in validation.by_track(self.recipe.batch):
            if stop and stop.is_set():
                raise Stopped
            levels = np.stack([validation.levels(stretch) for stretch in stretches])
            heard.setdefault(track, []).extend([self.learner.listen(levels, validation.context)] * len(stretches))
        every = [bits for track in heard.values() for bits in track]
        return float(np.mean(every)) if every else math.nan, {t: float(np.mean(bits)) for t, bits in heard.items()}

    def _pack(self) -> Pack:
        about = {"preset": self.job.preset, "step": self.learner.steps, "seed": self.job.seed}
        about |= {"temperature": self.recipe.temperature, "songs": [t.name for t in self.job.dataset.of("train")]}
        if math.isfinite(self.progress.nll):
            about |= {"nll_bits": self.progress.nll, "order0_bits": self.order0}
        return Pack(self.job.spec, self.learner.weights(), about=about)

    def _save(self, log: rundir.Log) -> None:
        """A checkpoint; `best.safetensors` if it is the best, or if there is none yet."""
        step, best = self.learner.steps, self.job.folder / rundir.BEST
        log.flush()  # first: a checkpoint must not know more than the log
        facts = dataclasses.asdict(self.progress)
        kept = checkpoint.Checkpoint(step, self.learner.arrays(), facts)
        checkpoint.save(self.checkpoints, kept, self._pack(), best)
        if self.progress.best_step == step:
            checkpoint.publish(self.checkpoints, step, best)
        checkpoint.prune(self.checkpoints, self.recipe.keep, self.progress.best_step)

    def _mend_best(self) -> None:
        """`best.safetensors` as the checkpoint knows it: a kill may have come between the two."""
        step, best = self.progress.best_step, self.job.folder / rundir.BEST
        try:
            current = load(best).about.get("step")
        except Error:
            current = None
        if step is not None and current != step and step in checkpoint.steps(self.checkpoints):
            checkpoint.publish(self.checkpoints, step, best)

    def _preview(self, log: rundir.Log, screen: Display) -> None:
        step = self.learner.steps
        folder = self.job.folder / rundir.PREVIEWS / f"{step:010d}"
        try:
            verdicts = previews.make(
                self._pack(), folder, self.recipe.preview_seconds, self.recipe.temperature, self.job.seed
            )
        except (Error, OSError, MemoryError) as error:  # the training is worth more than a preview
            screen.say(f"step {step:,}: no previews: {error}")
            return
        if verdicts:
            log.write(step=step, previews=verdicts)
            screen.previewed(step, verdicts)

    def _plan(self) -> Plan:
        """The facts, and a rehearsal of the next step for time and memory; the first one also warms things up."""
        batch = self.training.at(self.learner.steps)
        for _ in range(2):
            began = time.perf_counter()
            self.learner.rehearse(batch)
            took = time.perf_counter() - began
            if took > 2:
                break
        data = self.job.dataset
        return Plan(
            minutes=len(data.train) / data.sample_rate / 60,
            held_out=len(data.val) / data.sample_rate / 60,
            chunks=len(self.training.chunks),
            silent=self.training.silent,
            parameters=parameters(self.job.spec),
            memory_bytes=_peak_memory(self.job.device),
            batch=self.recipe.batch,
            chunk_len=self.recipe.chunk_len,
            sample_rate=data.sample_rate,
            step=self.learner.steps,
            steps=self.recipe.steps,
            steps_per_epoch=self.training.steps_per_epoch,
            hours=self.job.hours,
            seconds_per_step=took,
            device=str(self.job.device),
            uniform=math.log2(self.job.spec.q_levels),
            order0=self.order0,
        )


def _judged(folder: pathlib.Path, best: int | None) -> float | None:
    """What an earlier call found out about the best checkpoint."""
    found = [row["held_out"] for row in rundir.rows(folder) if "held_out" in row and row.get("best") == best]
    return float(found[-1]) if found else None


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second Ctrl-C is a `KeyboardInterrupt` at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there may signals be handled
        yield asked
        return

    def handle(number: int, frame: typing.Any) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _peak_memory(device: torch.device) -> int:
    """Bytes: of the device, or of this process so far where it can be asked."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    except ImportError:
        return 0
