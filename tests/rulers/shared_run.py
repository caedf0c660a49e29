"""One process of runs that torchrun starts: STEPS FOLDER... With SHARKS_DIE_AT, the second one dies there, once.

After each run it prints the threads that are left, by name, where the system tells.
"""

import os
import pathlib
import signal
import sys

from made_songs import dataset
from sharks.training.step.learner import Learner
from small_runs import RATE, trained

if __name__ == "__main__":
    learn, fatal = Learner.learn, int(os.environ.get("SHARKS_DIE_AT", "-1"))

    def mortal(self, batch, rate):
        if self.steps == fatal and os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            os.kill(os.getpid(), signal.SIGKILL)
        return learn(self, batch, rate)

    Learner.learn = mortal
    steps = int(sys.argv[1])
    settings = {"train.checkpoint_every": max(4, steps // 4), "train.validate_every": max(4, steps // 4)}
    settings |= {"train.batch": 4, "train.initial_noise": 0.1, "train.ema": 0.9, "train.precision": "float32"}
    for folder in sys.argv[2:]:
        trained(dataset(RATE, (9000, 7000), (6000, 5000)), folder, steps=steps, **settings)
        print("threads:", *(path.read_text().strip() for path in pathlib.Path("/proc/self/task").glob("*/comm")))
