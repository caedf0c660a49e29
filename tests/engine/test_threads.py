"""Players among threads: what is shared is only read, what is not is refused, and nobody holds Python's lock."""

import concurrent.futures
import contextlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import sharks
from players import engine
from programs import BUILDS, program
from sharks.spec import replace
from specs import SPECS, levels, random_tensors

pytestmark = pytest.mark.alone  # a team shares nothing while its cores are busy

_core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")


@BUILDS
def test_crews_teams_and_players_in_cpp():
    done = subprocess.run([program("threads")], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("preset", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_eight_threads_on_one_pack_give_the_serial_clips(preset):
    pack = sharks.random_pack(sharks.preset(preset), seed=3)
    together = threading.Barrier(8)

    def clip(i, wait):
        if wait:
            together.wait(60)
        return sharks.generate(pack, 0.02, n=1 + i % 3, seed=i // 2, threads=1 + i % 2).levels

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda i: clip(i, True), range(8)))  # the first use of the pack: one makes its model
    for i, got in enumerate(parallel):
        assert np.array_equal(got, clip(i, False))
    assert not np.array_equal(parallel[0][:1], parallel[2][:1])


def wide_player():
    spec = replace(SPECS["samplernn-lstm-graves-all"], dim=160)
    player = engine(spec, random_tensors(spec), 1)
    player.reset(levels(spec, 1, spec.lookback))
    return player


ONE = np.zeros(1, np.int64)


def heard_in_the_middle(fresh, n):
    """Whether a temperature that this thread changes while another runs is heard in a part of the clip, not in all.

    `fresh()` gives players at the same place. A player that keeps this thread waiting from beginning to end hears the
    change in all of its clip or in none.
    """
    cold, hot = (fresh().run(n, np.full((1, n), heat, np.float32), 1, ONE) for heat in (0, 1))
    temperature, begun = np.zeros((1, n), np.float32), threading.Event()

    def play(player):
        begun.set()
        return player.run(n, temperature, 1, ONE)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        clip = pool.submit(play, fresh())
        begun.wait()
        time.sleep(0.01)
        temperature.fill(1)
        clip = clip.result()
    return not np.array_equal(clip, cold) and not np.array_equal(clip, hot)


def test_another_thread_works_while_a_long_run_is_under_way():
    longer = (2000 * 2**i for i in range(8))  # until a run outlasts the other thread's first steps
    assert any(heard_in_the_middle(wide_player, n) for n in longer)


@contextlib.contextmanager
def threads_take_no_turns():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_a_player_that_holds_the_lock_is_noticed():
    class Holding:
        def run(self, n, temperature, seed, streams):
            return np.array([[temperature.item(0, t) for t in range(n)]])

    with threads_take_no_turns():
        assert not any(heard_in_the_middle(Holding, 2000 * 2**i) for i in range(8))


def test_a_player_serves_one_thread_at_a_time():
    player, begun = wide_player(), threading.Event()

    def play(n):
        begun.set()
        return player.run(n, np.ones((1, n), np.float32), 1, ONE)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for n in (2000 * 2**i for i in range(8)):
            begun.clear()
            clip = pool.submit(play, n)
            begun.wait()
            time.sleep(0.01)
            try:
                player.get_state()
            except ValueError as error:
                assert "playing in another thread" in str(error)
                break
            finally:
                clip.result()
        else:
            pytest.fail("the second thread was never refused")
    before = player.get_state()["position"]  # it is free again
    play(3)
    assert player.get_state()["position"] == before + 3


def test_a_condition_needs_no_team():
    """Its products come when the threads that share products are asleep."""
    spec = replace(SPECS["wavenet-vectors"], dilation=512, global_channels=64)
    weights, vector = random_tensors(spec), np.linspace(-1, 1, 64)[None]
    clips = []
    for threads in (1, 2):
        player = engine(spec, weights, 1, vector, threads=threads)
        player.reset(levels(spec, 1, 1))
        clips.append(player.run(40, np.ones((1, 40), np.float32), 5, ONE))
    assert np.array_equal(*clips)
