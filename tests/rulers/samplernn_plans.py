"""What the tests of SampleRNN's CUDA plans play, and how."""

from __future__ import annotations

import numpy as np

from sharks.spec import replace, stages
from specs import SPECS, levels

STEPS = 44

# Both GRUs and the LSTM, with every wiring of skips, tiers and sample level; widths that share out unevenly.
WIRINGS = [
    name for name, spec in SPECS.items() if spec.family == "samplernn" and "-MU-" not in name and "-LIN-" not in name
]

# Several strips to a block, more products than shared memory holds, layers enough to fold nothing away.
WIDE = {
    "lstm": replace(SPECS["samplernn-lstm-graves-all"], dim=168, layers=3, frame_sizes=(4, 8)),
    "gru": replace(SPECS["samplernn-2-frame-tiers"], dim=168, layers=2),
    "gru-reset-before": replace(SPECS["samplernn-gru-reset-before-3-frame-tiers"], dim=136, q_levels=256),
}


def forced(player, spec, streams, parts=(STEPS // 2 + 3,), steps=STEPS):
    """Every stage of `steps` forced levels, in calls that part in the middle of a frame."""
    player.reset(levels(spec, streams, spec.lookback, seed=1))
    given = levels(spec, streams, steps)
    names = [stage.name for stage in stages(spec)]
    taken = [player.force(np.ascontiguousarray(part), True, names) for part in np.split(given, list(parts), 1)]
    stage_values = {name: np.concatenate([part[1][name] for part in taken], 1) for name in names}
    assert np.array_equal(stage_values["logits"], np.concatenate([part[0] for part in taken], 1))
    return stage_values


def free_run(player, spec, streams, parts=(60,), temperature=0.95):
    player.reset(np.repeat(levels(spec, 1, spec.lookback), streams, 0))
    ids = np.arange(streams, dtype=np.int64)
    return np.concatenate([player.run(n, np.full((streams, n), temperature, np.float32), 11, ids) for n in parts], 1)
