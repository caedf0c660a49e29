"""Which cuts a song is made of, where there are more than it needs: those most like the music that the model learnt.

A model errs towards the dull. So cuts are not judged by what most of them are like; and where nobody knows what the
songs were like, the livelier is the better.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

from ..clips import manifest
from ..clips.makers import abouts
from ..sound.character import MEASURES, Description, is_description, unlikeness
from .cut import Cut


def chosen(cuts: list[Cut], samples: float, fade: int, songs: Mapping[str, Description]) -> tuple[list[Cut], list[Cut]]:
    """The best cuts, until they last for so many samples with crossfades of `fade`, and the others; in the order given.

    `songs` describes, by a clip's name, the music that its model learnt.
    """
    best: set[int] = set()
    length = 0
    for number in sorted(range(len(cuts)), key=lambda number: _rank(cuts[number], songs)):
        if length >= samples:
            break
        best.add(number)
        length += len(cuts[number]) - min(fade, len(cuts[number]) // 2)
    numbers = range(len(cuts))
    return [cuts[i] for i in numbers if i in best], [cuts[i] for i in numbers if i not in best]


def _rank(cut: Cut, songs: Mapping[str, Description]) -> float:
    """The lower, the better."""
    described = songs.get(cut.clip.name)
    return unlikeness(cut.character, described) if described else -float(cut.character[MEASURES.index("change")])


def learnt_from(folder: pathlib.Path, clips: Mapping[str, manifest.Clip]) -> dict[str, Description]:
    """By name, what the songs were like from which each clip's model learnt; where its pack does not say, nothing."""
    said = {name: about.get("sound") for name, about in abouts(folder, clips).items()}
    return {name: songs for name, songs in said.items() if is_description(songs)}
