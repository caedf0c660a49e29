"""Damaged and hostile checkpoints of networks: importing one gives a pack or one sentence, soon, and runs nothing.

The readers have their own tests of this; here what they let pass meets the importers.
"""

import random
import time
import tracemalloc
import warnings

import numpy as np
import pytest
import torch

from importers import ibab_port, theano_port
from importers.bundle_writer import write_bundle
from importers.pickle_writer import python2_pickle
from importers.torch_port import SampleRNN, WaveNetModel
from sharks.errors import Error
from sharks.importers import KINDS, import_checkpoint
from sharks.packs.pack import Pack

MOST_SECONDS = 5.0
MOST_BYTES = 64 << 20
FEW = 200  # mutants of each good file; tests/soak/test_hostile_imports.py has more
CONFIGS = (
    None,
    {"q_type": "linear", "n_rnn": 2},
    {"layers": 2, "blocks": 1},
    {"dilations": [1, 2]},
    {"layers": 1 << 39, "blocks": 1, "dilation_factor": 1 << 39},
    {"frame_sizes": [0, -1], "dilations": [1 << 40] * 2, "sample_rate": -1},
)


def good_files(folder):
    """name -> (the file to damage, the path to import): small networks, most of their bytes being structure."""
    flags = theano_port.Flags(frame_size=2, dim=2, skip_conn=True, emb_size=2, q_levels=4)
    (folder / "theano").write_bytes(python2_pickle(theano_port.made(flags)))
    torch.save(SampleRNN((2,), 1, 2, 4).state_dict(), folder / "stream", _use_new_zipfile_serialization=False)
    torch.save(WaveNetModel(2, 1, 2, 2, 2, 2, 4), folder / "module", _use_new_zipfile_serialization=False)
    torch.save(WaveNetModel(2, 1, 2, 2, 2, 2, 4).state_dict(), folder / "archive")
    params = ibab_port.Params(2, 16000, (1, 2), residual_channels=2, dilation_channels=2, quantization_channels=4)
    write_bundle(folder / "bundle", ibab_port.made(params), checksums=False)
    found = {name: (folder / name, folder / name) for name in ("theano", "stream", "module", "archive")}
    return found | {"bundle": (folder / "bundle.index", folder / "bundle")}


def damaged(good, rng):
    """One change or a few: a bit, a digit, a piece left out, doubled or cut off."""
    data = bytearray(good)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, length = rng.randrange(len(data)), rng.randrange(1, 40)
        change = rng.randrange(6)
        if change < 2:
            data[at] ^= 1 << rng.randrange(8)
        elif change == 2:
            data[at] = rng.choice(b"0123456789-IL.t(")
        elif change == 3:
            del data[at : at + length]
        elif change == 4:
            data[at:at] = data[at : at + length]
        else:
            del data[max(1, at) :]
        data = data or bytearray(b"\0")
    return bytes(data)


def judged(path, kind, config):
    """Whether a pack came of it."""
    start, before = time.process_time(), tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        pack = import_checkpoint(path, kind, config)
        assert isinstance(pack, Pack) and all(np.isfinite(array).all() for array in pack.tensors.values())
    except Error as error:
        pack, sentence = None, str(error)
        assert "\n" not in sentence and "; " in sentence and len(sentence) < 500, sentence
    assert time.process_time() - start < MOST_SECONDS
    assert tracemalloc.get_traced_memory()[1] - before < MOST_BYTES
    return pack is not None


def judge_mutants(folder, count):
    refused = 0
    for name, (victim, path) in good_files(folder).items():
        rng, good = random.Random(name), victim.read_bytes()
        for _ in range(count):
            victim.unlink()  # what is overwritten may wait for the disk
            victim.write_bytes(damaged(good, rng))
            refused += not judged(path, rng.choice((None, *KINDS)), rng.choice(CONFIGS))
        victim.write_bytes(good)
    return refused


@pytest.fixture(autouse=True)
def measured():
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    tracemalloc.stop()


def test_the_good_ones_become_packs(tmp_path):
    configs = {"theano": CONFIGS[1], "archive": CONFIGS[2], "bundle": CONFIGS[3]}
    for name, (_, path) in good_files(tmp_path).items():
        assert judged(path, "iclr2017" if name == "theano" else None, configs.get(name)), name


def test_a_few_mutants(tmp_path):
    assert judge_mutants(tmp_path, FEW) > FEW
