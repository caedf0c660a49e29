"""The preset that a computer can train while a musician waits, and the times that are said of all of them."""

import importlib.metadata

import pytest

import sharks
from sharks.proof import fitting as fits
from sharks.proof import machine
from sharks.proof.fitting import FOR_A_CPU, FOR_A_GPU, enough_for, fitting, said, times
from sharks.proof.machine import Machine, this_machine
from sharks.recipes.presets import guide as guide_of

GB = 2**30
LAPTOP = Machine(2, 24 * GB)
STATION = Machine(16, 128 * GB, "NVIDIA H200")


@pytest.fixture
def speed(monkeypatch):
    """Sets how many times as fast this computer is as the one on which steps were measured."""

    def set_speed(share):
        monkeypatch.setattr(fits, "multiply_adds_per_second", lambda: share and share * fits._MEASURED_AT)

    return set_speed


def test_a_computer_gets_the_preset_of_which_music_is_heard_soon(speed):
    for measured in (1.0, 0.001, None):  # without the engine nothing is known
        speed(measured)
        assert [fitting(LAPTOP), fitting(STATION)] == ["sharks-form-small", "dadabots-2tier"]


def test_the_first_sound_comes_within_twelve_minutes_on_two_cores(speed):
    speed(1.0)
    assert times(fitting(LAPTOP), LAPTOP).first_sound <= 6 * 60, "half of what it may take on a busy computer"
    assert times(fitting(LAPTOP), LAPTOP).whole < 3600, "and the training ends"
    assert times(FOR_A_GPU, LAPTOP).first_sound > 86400


@pytest.mark.parametrize(
    ("name", "minutes", "smaller"),
    [
        ("dadabots-2tier", 30, "dadabots-2tier"),
        ("dadabots-2tier", 29, "sharks-form-small"),
        ("sharks-form-small", 0.1, "sharks-form-small"),
        ("dadabots-2tier-small", 0.1, "dadabots-2tier-small"),
    ],
)
def test_little_music_takes_a_smaller_preset(name, minutes, smaller):
    """Half of what the large preset wants is enough for it; any other takes what there is."""
    assert enough_for(name, minutes) == smaller


def test_the_choice_never_asks_for_another_dataset():
    """Music is not prepared again where there turns out to be little of it."""
    assert len({sharks.preset(name).sample_rate for name in (FOR_A_CPU, FOR_A_GPU)}) == 1


@pytest.mark.parametrize("name", sharks.presets())
def test_times_are_those_measured_at_this_speed(name, speed):
    guide, train = guide_of(name), sharks.recipe(name).train
    assert guide.use and len(guide.use) <= 30 and guide.minutes > 0 and guide.step_seconds > 0
    speed(1.0)
    assert times(name, LAPTOP).whole == guide.step_seconds * train.steps
    assert times(name, LAPTOP).first_sound == guide.step_seconds * train.preview_every
    speed(0.5)
    assert times(name, LAPTOP).whole == 2 * guide.step_seconds * train.steps
    assert times(name, STATION) is None, "nothing was measured on a GPU"


def test_the_reason_is_said_in_two_lines(speed):
    speed(1.0)
    assert said("sharks-form-small", LAPTOP) == (
        "this computer: 2 cores, 24 GB, no GPU; preset sharks-form-small, about 50 s to the first sound, 5 min in all",
        "for the big model use a GPU: -p dadabots-2tier",
    )
    assert said("dadabots-2tier", STATION) == ("this computer: 16 cores, 128 GB, NVIDIA H200; preset dadabots-2tier",)


def test_this_machine_is_one():
    here = this_machine("cpu")
    assert here.cores >= 1 and here.gpu == "" and (here.memory_bytes == 0 or here.memory_bytes > GB // 2)
    assert machine.multiply_adds_per_second() > 1e8


class Driver:
    """One of NVIDIA, with a GPU or without."""

    def __init__(self, name):
        self.name = name

    def cuInit(self, flags):  # noqa: N802
        return 0 if self.name else 100

    def cuDeviceGet(self, device, ordinal):  # noqa: N802
        return 0

    def cuDeviceGetName(self, into, length, device):  # noqa: N802
        into.value = self.name
        return 0


@pytest.mark.parametrize(
    ("torch", "driver", "gpu"),
    [
        ("2.13.0+cu128", Driver(b"NVIDIA H200"), "NVIDIA H200"),
        ("2.13.0", Driver(b"NVIDIA H200"), "NVIDIA H200"),
        ("2.13.0+cpu", Driver(b"NVIDIA H200"), ""),
        ("2.13.0", Driver(b""), ""),
        ("2.13.0", None, ""),
        (None, Driver(b"NVIDIA H200"), ""),
    ],
)
def test_a_gpu_counts_where_torch_can_use_it(torch, driver, gpu, monkeypatch):
    def version(package):
        if torch is None:
            raise importlib.metadata.PackageNotFoundError(package)
        return torch

    def load(name):
        if driver is None:
            raise OSError(name)
        return driver

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(machine.ctypes, "CDLL", load)
    machine._gpu.cache_clear()
    try:
        assert this_machine().gpu == gpu
        assert this_machine("cpu").gpu == ""
    finally:
        machine._gpu.cache_clear()
