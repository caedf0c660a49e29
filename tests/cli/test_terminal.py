"""A line that always fits, sentences of whole words, no flood: on terminals of all widths, by what they were sent."""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import threading
import time

import pytest

from sharks import terminal
from sharks.terminal import Terminal, cells, fitted, plain, wrapped

PARTS = ("ETA 1 m 47 s", "24% of 3,000 steps", "loss 6.46 bits, guessing 7.48", "24.6x real time", "489 MB")
NAMES = ["song.wav", "海の歌" * 30, "🎸🔥" * 40, "é" * 200, "x" * 200]


class Screen:
    """A pseudo-terminal of some columns, and what it was sent."""

    def __init__(self, columns):
        self._master, slave = pty.openpty()
        self.resize(columns)
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self._sent = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def _read(self):
        try:
            while block := os.read(self._master, 1 << 16):
                self._sent += block
        except OSError:  # the other end is closed
            pass

    def sent(self):
        self.stream.close()
        self._reader.join(5)
        os.close(self._master)
        return self._sent.decode()


def drawn(text):
    """Whatever was ever drawn in one go from a line's start: what a terminal would wrap where it is too wide."""
    return [piece for piece in re.split(r"[\r\n]+", text) if piece]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 300])
@pytest.mark.parametrize("name", NAMES, ids=["plain", "CJK", "emoji", "accents", "long"])
def test_a_line_never_wraps(columns, name, monkeypatch):
    monkeypatch.setattr(terminal, "LIVE_EVERY", 0.0)
    screen = Screen(columns)
    shown = Terminal(screen.stream)
    for i in range(20):
        shown.show(*PARTS[: 1 + i % 5], name)
    shown.show("ETA 1 s", name)
    shown.last("done")
    pieces = drawn(screen.sent())
    assert pieces[-1] == "done" and len(pieces) > 20
    assert max(map(cells, pieces)) < columns


@pytest.mark.parametrize("columns", [20, 40, 60, 100])
def test_what_is_dropped_is_whole_and_what_stays_comes_first(columns):
    line = fitted(PARTS, columns)
    assert line == " | ".join(PARTS[: len(line.split(" | "))]) and cells(line) <= columns
    assert fitted(PARTS, 8) == "ETA 1 m" and fitted(PARTS, 2) == "" and fitted((), 9) == ""


def test_a_window_that_is_made_narrower(monkeypatch):
    monkeypatch.setattr(terminal, "LIVE_EVERY", 0.0)
    screen = Screen(100)
    shown = Terminal(screen.stream)
    shown.show(*PARTS)
    screen.resize(30)
    shown.show(*PARTS)
    shown.end()
    wide, *narrow = drawn(screen.sent())
    assert cells(wide) > 60 and max(map(cells, narrow)) < 30


def test_sentences_appear_above_the_line_and_leave_nothing_of_it(monkeypatch):
    monkeypatch.setattr(terminal, "LIVE_EVERY", 0.0)
    screen = Screen(60)
    shown = Terminal(screen.stream)
    shown.show("ETA 5 s", "a part")
    shown.say("news")
    shown.end()
    assert screen.sent() == "\rETA 5 s | a part\r                \rnews\r\n\rETA 5 s | a part\r                \r"


def test_a_line_that_nobody_renews_counts(monkeypatch):
    """So that nobody takes a long step for a hang."""
    monkeypatch.setattr(terminal, "STILL", 0.5)
    screen = Screen(60)
    shown = Terminal(screen.stream)
    with shown.busy("loading torch"):
        time.sleep(2.3)
    shown._close()
    assert re.search(r"\rloading torch\s*\rloading torch \| [12] s", screen.sent())


def test_a_flood_of_calls_is_a_trickle_of_lines(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    screen = Screen(60)
    shown = Terminal(screen.stream)
    for i in range(10_000):
        clock[0] = i / 1000
        shown.show(f"ETA {i}")
    assert 90 <= len(drawn(screen.sent())) <= 110, "ten a second"


def test_a_log_gets_a_line_a_minute(monkeypatch):
    clock, log = [0.0], io.StringIO()
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    shown = Terminal(log)
    for clock[0] in range(0, 200, 5):
        shown.show(f"at {clock[0]}", "a" * 300)
    shown.last("done " * 50)
    *lines, done = log.getvalue().splitlines()
    assert [line.partition(" |")[0] for line in lines] == ["at 10", "at 70", "at 130", "at 190"]
    assert {len(line) for line in lines} == {len("at 10 | ") + 300, len("at 130 | ") + 300} and done == "done " * 50


@pytest.mark.parametrize("columns", [20, 60, 100])
def test_sentences_wrap_at_words(columns):
    sentence = "note: only 9.9 min to train on: under 20 min, a model learns the music by heart, 海の 歌 too"
    lines = wrapped(sentence, columns).split("\n")
    assert " ".join(lines) == sentence and max(map(cells, lines)) <= columns
    assert all(line.startswith("  ") for line in wrapped("  " + sentence, columns).split("\n"))
    assert wrapped("x" * 200, columns) == "x" * 200, "a word, such as a path, stays whole"
    assert wrapped("song.wav    train  3:02", 60) == "song.wav    train  3:02", "and so does a table"


HOSTILE = "take\x1b]0;owned\x07\r\u202egnp.wav"
ESCAPED = r"take\x1b]0;owned\x07\r\u202egnp.wav"


@pytest.mark.parametrize("live", [True, False], ids=["terminal", "log"])
def test_a_name_commands_no_terminal(live, monkeypatch):
    monkeypatch.setattr(terminal, "LIVE_EVERY", 0.0)
    monkeypatch.setattr(terminal, "LOG_FIRST", 0.0)
    screen = Screen(80) if live else None
    log = io.StringIO()
    shown = Terminal(screen.stream if screen else log)
    shown.show("ETA 1 s", HOSTILE)
    shown.say(f"note: {HOSTILE}\nand more")
    shown.last(HOSTILE)
    text = screen.sent() if screen else log.getvalue()
    assert drawn(text)[-1] == ESCAPED
    assert f"ETA 1 s | {ESCAPED}" in text and f"note: {ESCAPED}" in text and not set(text) & set("\x1b\x07\u202e")


def test_letters_of_all_scripts_stay():
    for name in (*NAMES, "کتاب\u200cها", "👨\u200d👩\u200d👧", "a\u00a0b\u3000c", "e\u0301"):
        assert plain(name) == name
    assert plain("a\nb\u2028c\udce9") == r"a\nb\u2028c\udce9"


def test_cells():
    assert [cells(text) for text in ("abc", "海", "e\u0301", "🎸", "\u200b")] == [3, 2, 1, 2, 0]


def test_without_a_stream_and_with_a_dead_one():
    class Dead(io.StringIO):
        def isatty(self):
            return True

        def write(self, text):
            raise OSError(5, "Input/output error")

    for stream in (Dead(),):
        shown = Terminal(stream)
        shown.show("a")
        shown.say("b")
        shown.last("c")
    silent = Terminal(sys.stderr)
    silent._stream, silent.live = None, False
    silent.say("nobody hears")
