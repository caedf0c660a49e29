"""The training loop: learn, validate, preview, save; stop and go on as if nothing had happened.

What happens in a step, in this order:

1. It is learnt from its batch, which is a function of its number. All processes do this together.
2. The processes agree whether to stop and what time it is, and the listeners hear what was `learnt`.
3. Every `validate_every` steps, and before every save, held-out music is judged: `validated`.
4. All but the save is done: `stepped`. Previews are made here, every `preview_every` steps: `previewed`.
5. Every `checkpoint_every` steps, and when asked to stop: `saving`, at which the log goes to the disk, and then the
   checkpoint, which thus never knows more than the log.

The last step has all of these. After it the best checkpoint is `judged` on all held-out music. 3, 4 and the writing
are the first process's alone; on the others nobody listens.

Whatever decides the future of a run is in here, and all of it is in the checkpoint. So a run that was interrupted ends
with the same losses and weights, bit for bit on a CPU, as one that was not. (A budget in hours is the exception: it
looks at the clock.) Whatever only watches is a `Listener`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time

from ..errors import UsageError
from ..packs.pack import Pack, with_songs
from ..play.stopping import asked_to_stop
from .audience import invite
from .job import Job
from .judge import Stopped, judge
from .music.batches import Training, Validation
from .music.description import description
from .music.facts import music_facts
from .music.figures import figures_of
from .music.material import Tensors, material_of
from .rehearsal import rehearsed
from .run import checkpoint, rundir
from .run.progress import Progress
from .step import memory
from .step.learner import Learner, learning_rate
from .step.processes import Processes
from .watch.listener import Listeners
from .watch.log import Log
from .watch.run_facts import RunFacts


class NotBegun(UsageError):
    """The musician thought better of it, and there is nothing yet."""


class Loop:
    def __init__(self, job: Job, processes: Processes) -> None:
        """Everything is ready for the next step, the first or that after the newest checkpoint."""
        self.job, self.recipe, self.processes = job, job.recipe.train, processes
        self.checkpoints, self.best = job.folder / rundir.CHECKPOINTS, job.folder / rundir.BEST
        found, self._passed_over = checkpoint.newest(self.checkpoints) if job.resume else (None, [])
        with job.display.busy("listening to the songs"):
            self._material = material_of(job.dataset, job.spec, job.recipe.data, job.seed, self._measured(found))
        self.training = Training(job.dataset, job.spec, job.recipe, job.seed, self._material)
        self._notes: list[str] = []  # said once somebody listens
        self._plan: RunFacts | None = None
        self.learner = Learner(
            job.spec,
            self.recipe,
            job.device,
            job.seed,
            self._material.counts,
            processes,
            self._notes.append,
            self._material.constants,
        )
        self._mine = processes.part(self.recipe.batch)
        if not self.recipe.pieces:
            self._fit()
        self.music = music_facts(job.dataset, self.training, job.spec, self._material)
        seconds = self.recipe.validate_seconds
        self.validation = Validation(job.dataset, job.spec, job.recipe, seconds, self._material)
        self._sound = description(job.dataset) if processes.first else {}
        self._figures = figures_of(job.dataset) if processes.first else {}
        self.progress, self.tell = Progress(), Listeners()
        if found:
            self.learner.restore(found.arrays)
            self.progress = Progress(**found.facts)
            if processes.first:
                checkpoint.mend(self.checkpoints, self.progress.best_step, self.best)
        elif job.start is not None:
            self.learner.begin_as(job.start.tensors)
        processes.wait()  # before the first process changes anything in the folder

    @property
    def step(self) -> int:
        """Steps done."""
        return self.learner.steps

    @property
    def finished(self) -> bool:
        return self._share_done() >= 1

    def rehearse(self) -> RunFacts:
        """What is to come. Nothing is written yet: `ResourceError` where it has no room, `NotBegun` where the musician
        will not wait so long."""
        batch = self.training.at(self.step, self._mine)
        with self.job.display.busy("trying a step, to see how long it takes"):
            self._plan = rehearsed(self.job, self.music, self.learner, batch, self.progress.hours, self._pack)
        if self.processes.first:
            self._plan.check_disk()
            if doubt := self._plan.doubt:
                self._ask(doubt)
        return self._plan

    def run(self) -> float:
        """Train to the end of the budget, then judge the best checkpoint: its NLL in bits on all held-out music.

        Ctrl-C, SIGTERM or SIGHUP: a checkpoint, then `KeyboardInterrupt`. What an earlier call did is not done again.
        """
        known = rundir.judged(self.job.folder, self.progress.best_step) if self.finished else None
        if known is not None:
            return known
        self._open()
        with asked_to_stop() as stop, contextlib.closing(self.tell):
            began = time.monotonic() - 3600 * self.progress.hours
            asked = False
            while not (self.finished or asked):
                nll, rate = self._learn()
                asked = self._agree(stop, began)
                self.tell.learnt(self.step, nll, rate)
                if self._due(self.recipe.validate_every) or self._due(self.recipe.checkpoint_every):
                    self._validate()
                self.tell.stepped(self.step, self.finished)
                if asked or self._due(self.recipe.checkpoint_every):
                    self._save()
            if self.finished:
                with contextlib.suppress(Stopped):
                    return self._judge(stop)
        self.tell.say(f"interrupted after step {self.step:,}; the same command goes on from there")
        raise KeyboardInterrupt

    def _learn(self) -> tuple[float, float]:
        """One step: what its batch cost before it, in bits, and the learning rate."""
        rate = learning_rate(self.recipe, self.step, self._share_done())
        with self.tell.timed("step"):
            return self.learner.learn(self.training.at(self.step, self._mine), rate), rate

    def _agree(self, stop: threading.Event, began: float) -> bool:
        """Whether any process was asked to stop. All of them go by the clock of the first."""
        hours = (time.monotonic() - began) / 3600
        if self.processes.size > 1:
            asked, hours = self.processes.add_up([float(stop.is_set()), hours if self.processes.first else 0.0])
            if asked:
                stop.set()
        self.progress.hours = hours
        return stop.is_set()

    def _validate(self) -> None:
        if not self.processes.first:
            return
        with self.tell.timed("validation"):
            nll, tracks = judge(self.learner, self.validation)
            newest, due = self.recipe.best == "newest", self._due(self.recipe.checkpoint_every)
            self.progress.validated(self.step, nll, tracks, may_be_best=due, newest=newest)
        if tracks:
            self.tell.validated(self.step, nll, tracks, self.progress.best_step == self.step)

    def _save(self) -> None:
        """A checkpoint; `best.safetensors` if it is the best, or if there is none yet. All processes must take part."""
        with self.tell.timed("save"):
            arrays = self.learner.arrays()
            if not self.processes.first:
                return
            self.tell.saving(self.step)
            kept = checkpoint.Checkpoint(self.step, arrays, self.progress.facts())
            checkpoint.save(self.checkpoints, kept, self._pack(), self.best)
            if self.progress.best_step == self.step:
                checkpoint.publish(self.checkpoints, self.step, self.best)
            checkpoint.prune(self.checkpoints, self.recipe.keep, self.progress.best_step)

    def _judge(self, stop: threading.Event) -> float:
        """The best checkpoint's NLL in bits on all held-out music; NaN without any, and in all processes but one."""
        step, best = self.step, self.progress.best_step
        if not self.processes.first or best is None:
            return math.nan
        everything = Validation(self.job.dataset, self.job.spec, self.job.recipe, None, self._material)
        if not everything.stretches:
            return math.nan
        if best != step:
            self.learner.restore(checkpoint.read(self.checkpoints, best).arrays)
        nll, tracks = judge(self.learner, everything, stop)
        self.learner.steps = step
        self.tell.judged(step, best, nll, tracks)
        return nll

    def _due(self, every: int) -> bool:
        return self.finished or self.step % every == 0

    def _share_done(self) -> float:
        """Of the budget, by steps or by hours, whichever ends first."""
        by_steps = self.step / max(1, self.recipe.steps)
        return by_steps if self.job.hours is None else max(by_steps, self.progress.hours / self.job.hours)

    def _pack(self) -> Pack:
        about = {"preset": self.job.preset, "step": self.step, "seed": self.job.seed}
        about |= {"temperature": self.recipe.temperature, "songs": []}
        if self.job.start is not None:
            inherited = ("licence", "attribution")  # what was learnt from the music of the other stays in it
            about |= {name: self.job.start.about[name] for name in inherited if name in self.job.start.about}
            about["started_as"] = self.job.start.sha256
        if math.isfinite(self.progress.nll):
            about |= {"nll_bits": self.progress.nll, "order0_bits": self.music.order0}
        about |= {"sound": self._sound} if self._sound else {}
        about |= {"music": self._figures} if self._figures else {}
        about = with_songs(about, [track.name for track in self.job.dataset.of("train")])
        return Pack(self.job.spec, self.learner.weights(), about=about)

    def _measured(self, found: checkpoint.Checkpoint | None) -> Tensors | None:
        """What was measured in the music before: by the run that goes on, or by the pack that it begins as."""
        names = self.job.spec.constants()
        if found:
            return {name: found.arrays[f"model.{name}"] for name in names}
        return {name: self.job.start.tensors[name] for name in names} if self.job.start is not None else None

    def _ask(self, doubt: str) -> None:
        """Let the musician decide; `NotBegun` if that is no."""
        if self.job.ask is None or self.processes.size > 1:  # the others cannot wait for an answer
            self._notes.append(f"note: {doubt}")
        elif not self.job.ask(doubt):
            raise NotBegun("nothing was trained; give hours (--hours), fewer steps (--steps) or another preset (-p)")

    def _fit(self) -> None:
        """Find out in how many pieces a batch must be taken, and let all processes do as the one with least memory."""
        pieces = memory.fit(self.learner, self.training.at(0, self._mine))
        self.recipe = dataclasses.replace(self.recipe, pieces=round(self.processes.most(pieces)))
        self.learner.train = self.recipe
        self.job.recipe = dataclasses.replace(self.job.recipe, train=self.recipe)

    def _open(self) -> None:
        """Let those listen who do: on the first process all, on the others nobody."""
        plan = self._plan or self.rehearse()
        if not self.processes.first:
            return
        self.tell.add(Log(self.job.folder, self.step))
        invite(self.tell, self.job, plan, self._pack)
        for sentence in [*self._notes, *(f"passed over: {sentence}" for sentence in self._passed_over)]:
            self.tell.say(sentence)
        if self.step:
            self.tell.say(f"goes on after step {self.step:,}")
