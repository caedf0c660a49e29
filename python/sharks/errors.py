"""The kinds of `sharks.Error`. Each carries the exit code of the command that meets it."""

from .spec import Error, SpecError

__all__ = ["AudioError", "Error", "Notice", "PackError", "ResourceError", "SpecError", "UsageError"]


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
