"""Being asked to stop: Ctrl-C, SIGTERM, and SIGHUP of a closed terminal wait until a piece of work is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing
from collections.abc import Iterator

_KINDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C, SIGTERM or SIGHUP sets; the second Ctrl-C is a `KeyboardInterrupt` at once.

    What was ignored before stays ignored: SIGHUP under `nohup`, Ctrl-C behind a shell script's `&`.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there may signals be handled
        yield asked
        return

    def handle(number: int, frame: typing.Any) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()

    heeded = [kind for kind in _KINDS if signal.getsignal(kind) not in (signal.SIG_IGN, None)]  # None: not Python's
    before = {kind: signal.signal(kind, handle) for kind in heeded}
    try:
        yield asked
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
