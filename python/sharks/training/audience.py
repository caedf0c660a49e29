"""Who listens to a training, and in which order they hear of it."""

from __future__ import annotations

from collections.abc import Callable

from ..packs.pack import Pack
from .job import Job
from .watch.advice import Advice
from .watch.forecast import Forecast
from .watch.listener import Listeners
from .watch.previews import Previews
from .watch.report import Report
from .watch.run_facts import RunFacts
from .watch.tensorboard import TensorBoard


def invite(tell: Listeners, job: Job, plan: RunFacts, pack: Callable[[], Pack]) -> None:
    """Let all but the log, which comes before them, hear what is told. The display shows the plan at once.

    The forecast first, for others ask it; the display before the advice on what it showed; the report when all of an
    event is on the disk; previews last, for they tell of their own. `pack` gives what there is to play by now.
    """
    forecast = Forecast(plan.train, plan.guesses())
    display = job.display(plan, forecast)
    tell.add(forecast, display, Advice(plan.train.steps, plan.music.order0, display, plan.train.best == "newest"))
    if job.tensorboard:
        tell.add(TensorBoard(job.folder, plan.step, forecast))
    tell.add(Report(job.folder, plan.music.uniform, plan.music.order0, tell.say))
    tell.add(Previews(job.folder, plan.train, job.seed, pack, tell))
