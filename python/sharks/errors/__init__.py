"""The kinds of `sharks.Error`. Each carries the exit code of the command that meets it.

ValueError
  Error           3   something a musician can put right
    SpecError     2   a spec, preset or setting that cannot be meant
    UsageError    2   an argument out of range, or an unknown name
    PackError     3   a pack or checkpoint that is damaged, or is not one
    AudioError    3   audio that cannot be read, or holds nothing usable
    ResourceError 4   not enough disk, memory or device
UserWarning
  Notice              all goes well, but not as well as it might
"""

import difflib
import typing


class Error(ValueError):
    """Something a musician can put right: one sentence with what, got, wanted, and what to do. Exit code 3.

    >>> try:
    ...     sharks.load("nothing.safetensors")
    ... except sharks.Error as error:
    ...     print(f"{error} (exit code {error.exit_code})")
    nothing.safetensors: cannot be opened (No such file or directory); check the path (exit code 3)
    """

    exit_code = 3


class SpecError(Error):
    """A spec, preset or argument that cannot be meant. Exit code 2.

    >>> sharks.WaveNetSpec(filter_width=7)
    Traceback (most recent call last):
        ...
    sharks.errors.SpecError: filter_width is 7; wanted 2 to 3
    """

    exit_code = 2


class UsageError(Error):
    """An argument out of range or an unknown name. Exit code 2.

    >>> sharks.preset("dadabots-2tire")
    Traceback (most recent call last):
        ...
    sharks.errors.UsageError: unknown preset 'dadabots-2tire'; did you mean 'dadabots-2tier'?

    Where the sentence begins with an argument's name, that is `argument`: who calls it otherwise, as the command line
    does, says `of` its own name.
    """

    exit_code = 2

    def __init__(self, sentence: str, argument: str | None = None) -> None:
        super().__init__(f"{argument} {sentence}" if argument else sentence)
        self.argument, self._said = argument, sentence

    def of(self, name: str) -> str:
        """The sentence, with the argument under another name."""
        return f"{name} {self._said}" if self.argument else self._said


class PackError(Error):
    """A pack or checkpoint that is damaged, or is not one. Exit code 3.

    >>> sharks.load("songs")
    Traceback (most recent call last):
        ...
    sharks.errors.PackError: songs: holds no best.safetensors; name a pack, or a run that has reached a checkpoint
    """


class AudioError(Error):
    """Audio that cannot be read, or holds nothing usable. Exit code 3.

    >>> sharks.prepare("run", "data")
    Traceback (most recent call last):
        ...
    sharks.errors.AudioError: no audio found in run: 1 files seen, none usable; ...
    """


class Notice(UserWarning):
    """A warning in one sentence: all goes well, but not as well as it might, for a reason worth knowing.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", sharks.Notice)
    ...     sharks.generate("run", seconds=0.1, seed=7)
    <Audio 1 x 0.1 s at 16000 Hz, seed 7>
    """


class ResourceError(Error):
    """Not enough disk, memory or device. Exit code 4.

    >>> sharks.generate("run", seconds=1e11, n=4)
    Traceback (most recent call last):
        ...
    sharks.errors.ResourceError: the result needs 6.4e+06 GB of memory; use out= or stream()
    """

    exit_code = 4


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """The end of an error sentence: a near miss if there is one, else what is known."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
