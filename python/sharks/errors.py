"""The kinds of `sharks.Error`. Each carries the exit code of the command that meets it."""

import difflib
import typing


class Error(ValueError):
    """Something a musician can put right: one sentence with what, got, wanted, and what to do. Exit code 3."""

    exit_code = 3


class SpecError(Error):
    """A spec, preset or argument that cannot be meant. Exit code 2."""

    exit_code = 2


class UsageError(Error):
    """An argument out of range or an unknown name. Exit code 2."""

    exit_code = 2


class PackError(Error):
    """A pack or checkpoint that is damaged, or is not one. Exit code 3."""


class AudioError(Error):
    """Audio that cannot be read, or holds nothing usable. Exit code 3."""


class Notice(UserWarning):
    """A warning in one sentence: all goes well, but not as well as it might, for a reason worth knowing."""


class ResourceError(Error):
    """Not enough disk, memory or device. Exit code 4."""

    exit_code = 4


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """The end of an error sentence: a near miss if there is one, else what is known."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
