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

from ..dataset.dataset import Dataset, level_counts, pcm_counts
from ..errors import Error
from ..families.spec import Spec, parameters
from ..levels.quantize import codec
from ..packs.pack import Pack, load
from ..recipes.presets import Recipe
from .judge import Stopped, judge
from .music.batches import Training, Validation
from .run import checkpoint, rundir
from .step import memory
from .step.learner import Learner, learning_rate
from .step.processes import Together
from .watch import previews, report
from .watch.advice import Advice
from .watch.display import Display, Plan
from .watch.forecast import Forecast
from .watch.tensorboard import Board, NoBoard

_SHORT = 10.0  # seconds: what takes no longer needs no rehearsal of its previews


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
    tensorboard: bool = False


@dataclass
class Progress:
    """What a checkpoint keeps besides the learner's arrays."""

    best_step: int | None = None
    best_nll: float = math.inf  # bits
    nll: float = math.nan  # bits, at the last validation
    hours: float = 0.0  # spent training, in all sessions
    tracks: dict[str, float] = field(default_factory=dict)  # bits of each held-out track at the last validation

    def facts(self) -> dict[str, typing.Any]:
        """As JSON, which has no infinity: what is not known yet is left out."""
        every = dataclasses.asdict(self)
        return {k: v for k, v in every.items() if not isinstance(v, float) or math.isfinite(v)}


class Loop:
    def __init__(self, job: Job, together: Together) -> None:
        self.job, self.recipe, self.together = job, job.recipe.train, together
        self.checkpoints = job.folder / rundir.CHECKPOINTS
        self.training = Training(job.dataset, job.spec, job.recipe, job.seed)
        self.law = codec(job.spec)
        self._notes: list[str] = []  # said once there is a display
        counts = level_counts(pcm_counts(job.dataset.train), self.law)
        self.learner = Learner(job.spec, self.recipe, job.device, job.seed, counts, together, self._notes.append)
        self._mine = together.part(self.recipe.batch)
        if not self.recipe.pieces:
            self._fit()
        self.progress = Progress()
        train_bits, val_bits = job.dataset.order0(self.law)
        self.order0 = val_bits if math.isfinite(val_bits) else train_bits
        found, self._passed_over = checkpoint.newest(self.checkpoints) if job.resume else (None, [])
        if found:
            self.learner.restore(found.arrays)
            self.progress = Progress(**found.facts)
            if together.first:
                self._mend_best()
        together.wait()  # before the first process changes anything in the folder

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
        first = self.together.first
        log = rundir.Log(self.job.folder, self.learner.steps) if first else rundir.NoLog()
        plan = self._plan()
        if first:
            plan.check_disk()
        screen = self.job.display(plan)
        self.board = Board(self.job.folder, self.learner.steps) if first and self.job.tensorboard else NoBoard()
        self.forecast = Forecast(self.recipe, plan.guesses())
        self.advice = Advice(self.recipe.steps, self.order0)
        for sentence in [*self._notes, *(f"passed over: {sentence}" for sentence in self._passed_over)]:
            screen.say(sentence)
        if self.learner.steps:
            screen.say(f"goes on after step {self.learner.steps:,}")
        validation = Validation(self.job.dataset, self.job.spec, self.job.recipe, self.recipe.validate_seconds)
        saved = self.learner.steps
        with _asked_to_stop() as stop, contextlib.closing(log), contextlib.closing(self.board):
            began = time.monotonic() - 3600 * self.progress.hours
            asked = False
            while not self.finished and not asked:
                rate = learning_rate(self.recipe, self.learner.steps, self._share_done())
                with self.forecast.measured("step"):
                    nll = self.learner.learn(self.training.at(self.learner.steps, self._mine), rate)
                step = self.learner.steps
                asked = self._agree(stop, began)
                last = self.finished
                log.write(step=step, nll=nll)
                screen.step(step, nll, self.forecast.left)
                self.board.learnt(step, nll, rate, self.forecast.per_second * plan.batch * plan.chunk_len)
                keep = last or step % self.recipe.checkpoint_every == 0
                if first and (keep or step % self.recipe.validate_every == 0):
                    with self.forecast.measured("validation"):
                        self._validate(validation, keep)
                    if self.progress.tracks:
                        log.write(step=step, validation=self.progress.nll, tracks=self.progress.tracks)
                        self.board.validated(step, self.progress.nll, self.progress.tracks)
                        screen.validated(step, self.progress.nll, self.progress.best_step == step)
                        screen.advise(self.advice.validated(step, self.progress.nll, screen.trained))
                if first and (last or step % self.recipe.preview_every == 0):
                    with self.forecast.measured("preview"):
                        self._preview(log, screen)  # before the save: a checkpoint's log knows all that came before it
                if keep:
                    with self.forecast.measured("save"):
                        self._save(log)
                    saved = step
            if saved != self.learner.steps:
                self._save(log)
            if self.finished:
                with contextlib.suppress(Stopped):
                    return self._judge(log, screen, stop) if first else math.nan
        screen.say(f"interrupted after step {self.learner.steps:,}; the same command goes on from there")
        raise KeyboardInterrupt

    def _fit(self) -> None:
        """Find out in how many pieces a batch must be taken, and let all processes do as the one with least memory."""
        batch = self.training.at(0, self._mine)
        pieces = memory.fit(self.learner, batch)
        if self.together.size > 1:
            found = [0.0] * self.together.size
            found[self.together.rank] = pieces
            pieces = round(max(self.together.add_up(found)))
        self.recipe = dataclasses.replace(self.recipe, pieces=pieces)
        self.learner.train = self.recipe
        self.job.recipe = dataclasses.replace(self.job.recipe, train=self.recipe)

    def _agree(self, stop: threading.Event, began: float) -> bool:
        """Whether any process was asked to stop. All of them go by the clock of the first."""
        hours = (time.monotonic() - began) / 3600
        if self.together.size > 1:
            asked, hours = self.together.add_up([float(stop.is_set()), hours if self.together.first else 0.0])
            if asked:
                stop.set()
        self.progress.hours = hours
        return stop.is_set()

    def _judge(self, log: rundir.Log | rundir.NoLog, screen: Display, stop: threading.Event) -> float:
        step, best = self.learner.steps, self.progress.best_step
        everything = Validation(self.job.dataset, self.job.spec, self.job.recipe, None)
        if best is None or not everything.stretches:
            return math.nan
        if best != step:
            self.learner.restore(checkpoint.read(self.checkpoints, best).arrays)
        nll, tracks = judge(self.learner, everything, stop)
        self.learner.steps = step
        log.write(step=step, best=best, held_out=nll, tracks=tracks)
        screen.say(
            f"best.safetensors is step {best:,}: {nll:.3f} bits on all held-out music, "
            f"{self.order0 - nll:.2f} under order-0"
        )
        self._report(screen)
        return nll

    def _share_done(self) -> float:
        """Of the budget, by steps or by hours, whichever ends first."""
        by_steps = self.learner.steps / max(1, self.recipe.steps)
        return by_steps if self.job.hours is None else max(by_steps, self.progress.hours / self.job.hours)

    def _validate(self, validation: Validation, may_be_best: bool) -> None:
        """The best is the lowest NLL among checkpoints; without held-out music, the newest."""
        self.progress.nll, self.progress.tracks = judge(self.learner, validation)
        if may_be_best and not self.progress.nll >= self.progress.best_nll:
            self.progress.best_step, self.progress.best_nll = self.learner.steps, self.progress.nll

    def _pack(self) -> Pack:
        about = {"preset": self.job.preset, "step": self.learner.steps, "seed": self.job.seed}
        about |= {"temperature": self.recipe.temperature, "songs": [t.name for t in self.job.dataset.of("train")]}
        if math.isfinite(self.progress.nll):
            about |= {"nll_bits": self.progress.nll, "order0_bits": self.order0}
        return Pack(self.job.spec, self.learner.weights(), about=about)

    def _save(self, log: rundir.Log | rundir.NoLog) -> None:
        """A checkpoint; `best.safetensors` if it is the best, or if there is none yet. All processes must take part."""
        step, best = self.learner.steps, self.job.folder / rundir.BEST
        arrays = self.learner.arrays()
        if not self.together.first:
            return
        log.flush()  # first: a checkpoint must not know more than the log
        kept = checkpoint.Checkpoint(step, arrays, self.progress.facts())
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

    def _preview(self, log: rundir.Log | rundir.NoLog, screen: Display) -> None:
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
            screen.advise(self.advice.previewed(verdicts))
            self.board.previewed(step, folder)
            self._report(screen)

    def _report(self, screen: Display) -> None:
        """The page about the run; one that cannot be made is no reason to stop."""
        try:
            report.write(self.job.folder, math.log2(self.job.spec.q_levels), self.order0)
        except (Error, OSError, ValueError, KeyError) as error:
            screen.say(f"no {rundir.REPORT}: {error}")

    def _plan(self) -> Plan:
        """The facts, and a rehearsal of the next step for time and memory; the first one also warms things up."""
        batch = self.training.at(self.learner.steps, self._mine)
        for _ in range(2):
            began = time.perf_counter()
            self.learner.rehearse(batch)
            took = time.perf_counter() - began
            if took > 2:
                break
        left = took * (self.recipe.steps - self.learner.steps)
        data, trained = self.job.dataset, sum(p.numel() for p in self.learner.model.parameters())
        return Plan(
            minutes=len(data.train) / data.sample_rate / 60,
            held_out=len(data.val) / data.sample_rate / 60,
            chunks=len(self.training.chunks),
            silent=self.training.silent,
            parameters=parameters(self.job.spec),
            memory_bytes=memory.peak(self.job.device) + (0 if self.learner.steps else 2 * 4 * trained),
            memory_free=memory.available(),
            pieces=self.recipe.pieces,
            processes=self.together.size,
            precision=self.recipe.precision,
            checkpoint_bytes=4 * (parameters(self.job.spec) + trained * (3 + bool(self.recipe.ema))),
            keep=self.recipe.keep,
            folder=self.job.folder,
            validate_seconds=min(self.recipe.validate_seconds, len(data.val) / data.sample_rate),
            preview_every=self.recipe.preview_every,
            batch=self.recipe.batch,
            chunk_len=self.recipe.chunk_len,
            sample_rate=data.sample_rate,
            step=self.learner.steps,
            steps=self.recipe.steps,
            steps_per_epoch=self.training.steps_per_epoch,
            hours=self.job.hours,
            spent=self.progress.hours,
            seconds_per_step=took,
            seconds_to_hear=self._time_to_hear(batch.levels),
            seconds_to_preview=self._time_to_preview() if left > _SHORT else 0.0,
            device=str(self.job.device),
            uniform=math.log2(self.job.spec.q_levels),
            order0=self.order0,
        )

    def _time_to_hear(self, levels: np.ndarray) -> float:
        """Seconds for as much music as all processes learn from in a step, of which `levels` are this one's share."""
        took = 0.0
        for _ in range(2):  # the first one warms up
            began = time.perf_counter()
            self.learner.listen(levels, levels.shape[1] - self.recipe.chunk_len)
            took = time.perf_counter() - began
        return took * self.together.size

    def _time_to_preview(self) -> float:
        """Seconds; 0 where it cannot be told, and in processes that make none."""
        with contextlib.suppress(Error, OSError, MemoryError):
            if self.together.first:
                seconds, temperature = self.recipe.preview_seconds, self.recipe.temperature
                return previews.rehearse(self._pack(), seconds, temperature, self.job.seed)
        return 0.0


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
