"""What one sample takes on a GPU at least: a chain of steps that wait for each other, and the work of all streams.

Clocks of a step come from the probe where it measures them, else they are assumed. Two designs are reckoned and the
faster counts: blocks that hand numbers to each other through L2, each with a part of the weights (a WaveNet's layers in
a row, a SampleRNN's rows side by side), and a tensor-core product per stage with a barrier of the whole grid between.
Shared memory that clusters of blocks reach into (sm_90) can undercut the first by a third.
"""

from __future__ import annotations

import dataclasses
import math

from sharks.spec import SampleRNNSpec, Spec, WaveNetSpec

TILE_EVERY = 6.5  # clocks between independent 16 x 8 x 16 tile products of a quarter of a processor
ACTIVATION = 45  # tanh and sigmoid
STORE = 20  # into shared memory, before a barrier
DRAW = 250  # of 256 levels
TABLE = 300  # a row read from L2
CLOCKS_PER_BLOCK = 60  # what stands around a sample's stages
FAST_MACS = 1536  # multiply-adds per clock and processor in large tensor-core products
PLAIN_MACS = 128
LINK_BYTES = 34.0  # per clock that a block reads from others
WEIGHT_BYTES = 200_000  # of float16 that a block keeps

TILE_MACS = 4 * 2048 / TILE_EVERY  # per clock and processor


@dataclasses.dataclass(frozen=True)
class Gpu:
    """Clocks as `_core.probe_gpu` gives them; `processors` of the GPU."""

    shared_load: float
    barrier: float
    tile: float
    hop: float
    clock: float  # per second
    processors: int

    @property
    def grid_barrier(self) -> float:
        return 2 * self.hop  # everyone tells one, and one tells everyone


def floor(spec: Spec, streams: int, gpu: Gpu) -> float:
    """Samples per second of all streams together."""
    clocks = {WaveNetSpec: _wavenet, SampleRNNSpec: _samplernn}[type(spec)](spec, streams, gpu)
    return streams * gpu.clock / clocks


def _wavenet(spec: WaveNetSpec, streams: int, gpu: Gpu) -> float:
    L, R, S, E, Q = spec.layers, spec.residual, spec.skip, spec.head, spec.q_levels
    stage_end = STORE + gpu.barrier
    tiles = 5 * (R / 16) ** 2  # of a layer's two products
    chain = max(tiles / 4 * TILE_EVERY + gpu.tile, 2 * gpu.tile + 8)
    layer = gpu.shared_load + R / 2 + chain + ACTIVATION + stage_end

    def product(rows: int, cols: int) -> float:  # over four blocks
        return rows / 64 * (cols / 16) / 4 * TILE_EVERY + gpu.tile + gpu.shared_load + stage_end

    tail = product(S, R) + product(E, S) + product(Q, E) + DRAW + CLOCKS_PER_BLOCK
    blocks = math.ceil(2 * L * 7 * R * R / WEIGHT_BYTES)  # that the chain of layers is spread over
    latency = L * layer + (blocks - 1) * gpu.hop + tail + 4 * gpu.hop
    pipelines = min(8, math.ceil(streams / 8))
    turns = math.ceil(math.ceil(streams / pipelines) / 8)
    fragments = 5 * (R / 16) ** 2 * 2 * 2
    busy = L / blocks * (tiles / 4 * TILE_EVERY + R + fragments + 40)
    skips = L * (S / 128) * (R / 16) / 4 * TILE_EVERY
    pipeline = max(latency, turns * max(busy, skips))
    macs = L * (7 * R * R + S * R) + E * S + Q * E
    grid = (L + 4) * gpu.grid_barrier + macs * streams / (gpu.processors * TILE_MACS)
    return min(pipeline, grid)


def _samplernn(spec: SampleRNNSpec, streams: int, gpu: Gpu) -> float:
    H, Q, P = spec.dim, spec.q_levels, gpu.processors
    gates = 4 if spec.cell == "lstm" else 3
    tiers = [(spec.frame_sizes[t], spec.layers, spec.ratio(t)) for t in range(spec.tiers)]
    sample = H * H + H * Q
    macs = sample + sum((2 * layers * gates * H * H + ratio * H * H) / frame for frame, layers, ratio in tiers)
    rate = PLAIN_MACS if streams == 1 else TILE_MACS
    clocks = 2 * gpu.hop + TABLE + DRAW + 8 * H * streams / LINK_BYTES + sample * streams / (P * rate)
    for frame, layers, _ in tiers:
        rows = (layers - 1) * gates * H + H  # on the path; what hangs on known numbers runs ahead
        payload = layers * 2 * H * streams / LINK_BYTES
        clocks += ((layers + 1) * gpu.hop + rows * H * streams / (P * rate) + payload) / frame
    side_by_side = max(clocks, macs * streams / (P * TILE_MACS))
    stages = 2 + sum(layers / frame for frame, layers, _ in tiers)
    grid = stages * gpu.grid_barrier + macs * streams / (P * FAST_MACS) + DRAW
    return min(side_by_side, grid)
