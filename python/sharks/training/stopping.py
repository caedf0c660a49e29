"""Being asked to stop: Ctrl-C and SIGTERM wait until a step is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing
from collections.abc import Iterator


@contextlib.contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
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
