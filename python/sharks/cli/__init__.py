"""The command `sharks`: verbs in, one sentence out where something is wrong.

Nothing here or in the modules that declare the verbs imports numpy or a verb before that verb runs, so that
`sharks --help` is there at once. Results go to stdout, progress and complaints to stderr. Exit codes: 0 done, 1 a fault
of sharks itself, 2 usage, 3 bad input, 4 resources, 130 interrupted with a valid state saved: by Ctrl-C, by SIGTERM, or
by SIGHUP when the terminal is closed or the connection drops.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import types
import typing
import warnings

from .. import terminal
from .streams import open_what_is_closed, unfailing

INTERRUPTED = 130
USAGE, BAD_INPUT, RESOURCES = 2, 3, 4
FULL = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.EROFS)


def main(arguments: list[str] | None = None) -> typing.NoReturn:
    """Run one verb and leave with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words  # welcome before and after the verb
    words = [word for word in words if word != "--debug"]
    open_what_is_closed()
    _show_notices()
    _heed_polite_ends()
    sys.stderr = unfailing(sys.stderr)
    if sys.stdout.isatty():  # a file that is full is an error, and a pipe ends the command
        sys.stdout = unfailing(sys.stdout)
    try:
        code = _run(words or ["--help"])
        sys.stdout.flush()
    except KeyboardInterrupt:  # while a verb was being imported
        code = _say_interrupted()
    except Exception as error:
        if debug and not isinstance(error, BrokenPipeError):
            raise
        code = _complain(error, next((word for word in words if not word.startswith("-")), ""))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is done is done
    if code == INTERRUPTED:
        sys.stderr.flush()
        os._exit(code)  # at once; by the long way, Python dies of the signal if it struck while a class was being made
    sys.exit(code)


def _run(words: list[str]) -> int:
    import typer

    from .app import app

    refused: typing.Any = typer.BadParameter.__mro__[2]  # the family of all that the command line's grammar refuses
    try:
        code = app(args=words, prog_name="sharks", standalone_mode=False) or 0
    except typer.Abort:
        code = INTERRUPTED
    except typer.Exit as error:
        code = error.exit_code
    except refused as error:
        terminal.stderr().last(f"sharks: {_as_sentence(error.format_message())}; see `sharks --help`")
        return USAGE
    except SystemExit:  # typer's answer to a pipe that was closed
        raise BrokenPipeError from None
    return _say_interrupted() if code == INTERRUPTED else int(code)


def _show_notices() -> None:
    """A `Notice` is one line on stderr, each sentence once; other warnings are shown as Python shows them."""
    show = warnings.showwarning

    def show_notice(message: Warning | str, category: type[Warning], *place: typing.Any, **more: typing.Any) -> None:
        from ..errors import Notice
        from .display import say

        if not issubclass(category, Notice):
            return show(message, category, *place, **more)
        say(f"note: {_on_one_line(str(message))}")

    warnings.showwarning = show_notice


def _say_interrupted() -> int:
    terminal.stderr().last("sharks: interrupted; what was saved is whole, and the same command goes on from there")
    return INTERRUPTED


def _complain(error: Exception, verb: str) -> int:
    """Say in one sentence what went wrong; the exit code that belongs to it."""
    from ..errors import Error, UsageError
    from ..proof.doctor import OPTIONAL

    if isinstance(error, BrokenPipeError):  # `sharks presets | head`: nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    if isinstance(error, UsageError) and error.argument:
        from .naming import option

        sentence, code = error.of(option(verb, error.argument)), error.exit_code
    elif isinstance(error, Error):
        sentence, code = str(error), error.exit_code
    elif isinstance(error, MemoryError):
        sentence, code = "memory is full; use fewer streams (-n) or a smaller batch (--batch)", RESOURCES
    elif isinstance(error, OSError) and error.strerror:
        sentence = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        code = RESOURCES if error.errno in FULL else BAD_INPUT
    elif isinstance(error, ModuleNotFoundError) and error.name in OPTIONAL:
        sentence = f"this needs {error.name}; install it with `pip install 'sharks-audio[{OPTIONAL[error.name]}]'`"
        code = BAD_INPUT
    else:
        sentence, code = f"a fault of sharks itself, {type(error).__name__}: {error}; --debug shows where", 1
    terminal.stderr().last(f"sharks: {_on_one_line(sentence)}")
    return code


def _as_sentence(text: str) -> str:
    """The grammar's complaint as the rest of a sentence."""
    text = _on_one_line(text).rstrip(".?").replace(". D", "; d")
    return text[:1].lower() + text[1:]


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _heed_polite_ends() -> None:
    """Other ways to ask for an end are like Ctrl-C; one that is ignored, as SIGHUP is under `nohup`, stays ignored."""
    for name in ("SIGTERM", "SIGHUP"):
        kind = getattr(signal, name, None)  # Windows has no SIGHUP
        if kind is not None and signal.getsignal(kind) is not signal.SIG_IGN:
            signal.signal(kind, _interrupt)


def _interrupt(signum: int, frame: types.FrameType | None) -> typing.NoReturn:
    signal.signal(signum, signal.SIG_IGN)  # a shell that ends may send it again, while we are saving
    raise KeyboardInterrupt
