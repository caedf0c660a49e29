"""What an argument of Python is called on the command line, so that a sentence names what was typed."""

from __future__ import annotations

import typing

# Arguments that are there under another name: the parameter of the verb, whose option is meant.
_ALSO = {
    "clip_seconds": "clip",
    "minutes": "hours",  # of training on two seconds, `--smoke`
    "n": "clips",
    "sample_rate": "rate",
    "seconds": "length",
    "songs": "number",
    "streams": "stream",
    "to_seconds": "to",
    "val_fraction": "val",
}


def option(verb: str, argument: str) -> str:
    """The option of a verb that gives an argument, such as --length; the argument where there is none."""
    import typer

    from .app import app

    face: typing.Any = typer.main.get_command(app)
    parameters = face.commands[verb].params if verb in face.commands else []
    options = {one.name: one.opts[0] for one in parameters if one.param_type_name == "option"}
    return options.get(argument) or options.get(_ALSO.get(argument, "")) or argument
