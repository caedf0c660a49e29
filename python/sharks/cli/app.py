"""The verbs, in the order of the walk."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import data, experiment, import_, listen, look, play, songs, walk

app = typer.Typer(
    help="Train raw-audio neural networks on your own music, and play them fast.",
    epilog="A folder of music is all you need: sharks make FOLDER -o PROJECT",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for verb in (
    *(walk.demo, look.doctor, walk.make),
    *(data.prepare, data.train),
    *(play.generate, play.extend, songs.curate),
    *(look.check, look.presets, look.info, listen.bench, experiment.sweep),
):
    app.command()(verb)
app.command("import")(import_.import_)


def _version(asked: bool) -> None:
    if asked:
        print(f"sharks {__version__}")
        raise typer.Exit


@app.callback()
def face(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    pass
