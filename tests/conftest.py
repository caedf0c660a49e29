"""What all tests stand on: Ctrl-C reaches them, and those that need the machine to themselves have it."""

import os
import signal

import pytest

from turns import turn

# Shells let what they start in the background ignore Ctrl-C; the tests send it to themselves and to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Threads of torch that have nothing to do sleep; spinning, they would keep the cores from the tests beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_collection_modifyitems(items):
    """Files with slow tests first, so that no worker is late with one; last those for which the others have to wait."""
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker("alone")  # there is one GPU, and tests measure how free it is
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    alone = {item.path for item in items if _alone(item)}
    items.sort(key=lambda item: (item.path in alone, item.path not in slow))


class MayLack(pytest.Module):
    """A file of tests that is skipped where a package that it imports is not installed."""

    def collect(self):
        try:
            return super().collect()
        except self.CollectError as error:
            if not isinstance(error.__cause__, ModuleNotFoundError):
                raise
            pytest.skip(f"{error.__cause__.name} is not installed", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """With `-m cuda`, on a machine with a GPU and little else, what other tests import need not be there."""
    if parent.config.option.markexpr == "cuda":
        return MayLack.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Each test begins when its turn has come; the wait is no part of its time."""
    with turn(_alone(item)):
        return (yield)


def _alone(item):
    return item.get_closest_marker("alone") is not None
