"""The command, as a person meets it: a fresh process, its exit code, what it prints, what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
import types
import warnings
import wave

import numpy as np
import pytest

import sharks
from command import COMMAND, ENVIRONMENT, sharks_command
from sharks.cli import display, main, values
from sharks.errors import UsageError
from sharks.sound.wav import HEADER_BYTES, write_wav
from sharks.spec import SampleRNNSpec

RATE = 16000
VERBS = "demo doctor make prepare train generate extend curate check presets info bench sweep import".split()


def refuses(done, code, *parts):
    """One sentence on stderr that says `parts`, nothing on stdout, and the right exit code."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == code, done.stderr
    assert lines and lines[-1].startswith("sharks: ") and "Traceback" not in done.stderr
    assert [part for part in parts if part not in lines[-1]] == [], lines[-1]
    assert done.stdout == ""


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    path = tmp_path_factory.mktemp("packs") / "small.safetensors"
    spec = SampleRNNSpec(frame_sizes=(4,), dim=16, embed_dim=8, sample_rate=8000)
    return sharks.random_pack(spec, seed=3).save(path)


# The face


def test_help_is_there_at_once():
    """It imports nothing that is slow. No clock is asked, for other programs may want the same cores."""
    program = (
        "import contextlib, sys\nfrom sharks.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    slow = ["numpy", "torch", "soundfile", "soxr", "PIL", "jinja2", "rich", "sharks._core"]
    done = subprocess.run([sys.executable, "-c", program, *slow], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Commands:" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_verb_in_the_order_of_the_walk():
    lines = sharks_command("--help").stdout.splitlines()
    verbs = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.startswith("  ")]
    assert verbs[: len(VERBS)] == VERBS
    assert sharks_command().stdout.splitlines() == lines


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_only_hyphens(verb):
    done = sharks_command(verb, "--help")
    assert done.returncode == 0 and done.stderr == ""
    options = [word for line in done.stdout.splitlines() for word in line.split() if word.startswith("--")]
    assert "--help" in options and not [option for option in options if "_" in option]


def test_nothing_heavy_is_imported_for_help():
    code = (
        "import sys, sharks.cli\ntry:\n    sharks.cli.main(['generate', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'rich', 'torch', 'sharks.play.generate') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version():
    assert sharks_command("--version").stdout == f"sharks {sharks.__version__}\n"


@pytest.mark.parametrize(
    "words, parts",
    [
        (["trian"], ["'trian'", "train"]),
        (["generate"], ["RUN|PACK"]),
        (["generate", "x.safetensors", "--lenght", "3s"], ["--lenght", "--length"]),
        (["generate", "x.safetensors", "--threads", "two"], ["--threads", "integer"]),
        (["generate", "x.safetensors", "--length", "soon"], ["'soon'", "90s"]),
        (["demo", "songs", "more"], ["(more)"]),
        (["presets", "prism"], ["'prism'", "prism-3tier"]),
        (["train", ".", "-p", "prism"], ["'prism'", "prism-3tier"]),
        (["bench", "prism"], ["'prism'", "prism-3tier"]),
        (["curate", ".", "--minutes", "five"], ["'five'", "3-5"]),
    ],
)
def test_wrong_words_are_usage_errors(words, parts, tmp_path):
    refuses(sharks_command(*words, cwd=tmp_path), 2, *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_traceback_only_with_debug(tmp_path):
    for words in (["--debug", "info", "nothing.wav"], ["info", "nothing.wav", "--debug"]):
        assert "Traceback" in sharks_command(*words, cwd=tmp_path).stderr
    refuses(sharks_command("info", "nothing.wav", cwd=tmp_path), 3, "nothing.wav")


# Bad input: one sentence, the right code, nothing half-written


def nan_wav(path):
    import struct

    data = np.full(RATE, 0.1, "<f4")
    data[100] = np.nan
    fmt = struct.pack("<HHIIHH", 3, 1, RATE, 4 * RATE, 4, 32)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", data.nbytes) + data.tobytes()
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)


BAD_SOUNDS = {
    "empty.wav": (lambda path: path.write_bytes(b""), "empty"),
    "text.mp3": (lambda path: path.write_text("These are words."), "text.mp3"),
    "nan.wav": (nan_wav, "NaN"),
}


@pytest.mark.parametrize("name", BAD_SOUNDS)
@pytest.mark.parametrize("verb", ["prepare", "info", "prime", "curate"])
def test_bad_sounds(verb, name, tmp_path, pack):
    make, part = BAD_SOUNDS[name]
    (tmp_path / "songs").mkdir()
    make(tmp_path / "songs" / name)
    words = {
        "prepare": ["prepare", "songs", "-o", "out"],
        "info": ["info", f"songs/{name}"],
        "prime": ["generate", pack, "-o", "out", "--length", "0.1s", "--prime", f"songs/{name}"],
        "curate": ["curate", "songs", "-o", "out"],
    }[verb]
    if (verb, name) == ("info", "nan.wav"):  # its header is sound; only its samples are not
        assert sharks_command(*words, cwd=tmp_path).returncode == 0
    else:
        refuses(sharks_command(*words, cwd=tmp_path), 3, *([part] if verb in ("info", "prime") else ["songs"]))
    assert [path.name for path in tmp_path.iterdir()] == ["songs"]


def cut_in_half(data):
    return data[: len(data) // 2]


def flip_a_payload_bit(data):
    return data[:-100] + bytes([data[-100] ^ 4]) + data[-99:]


@pytest.mark.parametrize("damage", [cut_in_half, flip_a_payload_bit])
@pytest.mark.parametrize("verb", ["generate", "check", "info", "demo", "bench"])
def test_damaged_packs(verb, damage, tmp_path, pack):
    (tmp_path / "damaged.safetensors").write_bytes(damage(pack.read_bytes()))
    more = ["-o", "out"] if verb in ("generate", "demo") else []
    refuses(sharks_command(verb, "damaged.safetensors", *more, cwd=tmp_path), 3, "damaged.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.safetensors"]


@pytest.mark.parametrize(
    "words, part",
    [
        (["-t", "-1"], "--temperature is -1"),
        (["-t", "nan"], "temperature"),
        (["--length", "0"], "--length is 0"),
        (["-n", "0"], "-n is 0"),
        (["--threads", "0"], "--threads is 0"),
        (["--seed", "-5"], "--seed is -5"),
        (["--device", "tpu"], "'tpu'"),
        (["--dtype", "float8"], "'float8'"),
        (["--device", "cpu", "--plan", "throughput"], "--plan is 'throughput'; device 'cpu' has one plan, 'default'"),
        (["-n", "2", "--total", "1h"], "--total"),
        (["--total", "-1h"], "not a duration"),
        (["--total", "0s"], "--total is 0 s"),
        (["--total", "1h", "--length", "0s"], "--length is 0 s"),
        (["--total", "9" * 400 + "h"], "longer than sharks can count"),
        (["--total", "999999999h"], "-n is 359999999640"),
        (["--length", "999999999999h"], "longer than sharks can count"),
        (["--length", "200000000000h"], "wanted 1 to 2^53 - 1"),
        (["--prime", "nothing.wav"], "nothing.wav"),
    ],
)
def test_wrong_numbers(words, part, tmp_path, pack):
    code = 3 if "--prime" in words else 2
    refuses(sharks_command("generate", pack, "-o", "out", *words, cwd=tmp_path), code, part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["extend", "check", "bench"])
def test_a_plan_that_a_device_has_not_is_refused_by_every_verb_that_plays(verb, tmp_path, pack):
    model = pack
    if verb == "extend":
        model = json.loads(sharks_command("generate", pack, "--length", "0.1s", "--json", cwd=tmp_path).stdout)[
            "files"
        ][0]
    words = [verb, model, "--device", "reference", "--plan", "pipeline", *(["--to", "1s"] if verb == "extend" else [])]
    refuses(sharks_command(*words, cwd=tmp_path), 2, "--plan is 'pipeline'; device 'reference' has one plan, 'default'")


def test_a_folder_that_cannot_be_written_is_a_matter_of_resources(tmp_path, pack):
    (tmp_path / "out").write_text("a file, where a folder should be")
    refuses(sharks_command("generate", pack, "-o", "out/clips", "--length", "0.1s", cwd=tmp_path), 4, "out")


def test_a_device_that_is_not_there(tmp_path, pack):
    if "CUDA" not in json.loads(sharks_command("doctor", "--json").stdout)["cuda"]:
        pytest.skip("a CUDA device answers here")
    refuses(sharks_command("generate", pack, "-o", "out", "--device", "cuda", cwd=tmp_path), 4, "cuda")
    assert list(tmp_path.iterdir()) == []


# Results


def test_generate_extend_and_info(tmp_path, pack):
    command = ["generate", pack, "-o", "clips", "-n", "2", "--length", "0.5s", "--seed", "7"]
    done = sharks_command(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, [os.path.join("clips", f"000{i}.wav") for i in (0, 1)])
    first = (tmp_path / "clips" / "0001.wav").read_bytes()
    alone = sharks_command(
        "generate", pack, "-o", "one", "--length", "0.5s", "--seed", "7", "--stream", "1", "--json", cwd=tmp_path
    )
    assert json.loads(alone.stdout)["seed"] == 7
    assert (tmp_path / "one" / "0001.wav").read_bytes() == first
    assert sharks_command(*command, cwd=tmp_path).returncode == 0  # again: found, not played anew
    done = sharks_command("extend", "clips/0001.wav", "--to", "1s", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["seconds"] == 1.0
    longer = (tmp_path / "clips" / "0001.wav").read_bytes()
    assert longer[HEADER_BYTES : len(first)] == first[HEADER_BYTES:] and len(longer) == HEADER_BYTES + 2 * 8000
    for to in ("1s", "0.7s"):
        done = sharks_command("extend", "clips/0001.wav", "--to", to, cwd=tmp_path)
        said = "nothing to do: clips/0001.wav is 1.0 s long already\n"
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "clips/0001.wav", said)
    assert (tmp_path / "clips" / "0001.wav").read_bytes() == longer
    facts = json.loads(sharks_command("info", "clips/0001.wav", "--json", cwd=tmp_path).stdout)
    assert (facts["kind"], facts["sample_rate"], facts["channels"], facts["stream"]) == ("clip", 8000, 1, 1)


def test_info_of_a_hostile_pack_commands_no_terminal(tmp_path):
    spec = SampleRNNSpec(frame_sizes=(4,), dim=4, embed_dim=2)
    pack = sharks.Pack(
        spec, sharks.random_pack(spec).tensors, about={"licence": "\x1b]0;owned\x07\r\nsharks: all is \u202ellew"}
    )
    pack.save(tmp_path / "rude.safetensors", golden=False)
    said = sharks_command("info", "rude.safetensors", cwd=tmp_path).stdout
    assert r"licence      \x1b]0;owned\x07\r\nsharks: all is \u202ellew" in said.splitlines()
    exact = json.loads(sharks_command("info", "rude.safetensors", "--json", cwd=tmp_path).stdout)
    assert exact["licence"] == pack.about["licence"], "for machines it is what it is"


def test_another_programs_safetensors_is_sent_to_nobody_who_refuses_it(tmp_path, pack):
    header = b'{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'
    (tmp_path / "other.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    refuses(sharks_command("check", "other.safetensors", cwd=tmp_path), 3, "of another program", "its checkpoint")
    for words in (["import"], ["import", "s4"]):
        parts = ("is a safetensors file", "wanted the checkpoint that it was made from")
        refuses(sharks_command(*words, "other.safetensors", cwd=tmp_path), 3, *parts)
        refuses(sharks_command(*words, pack, "-o", "x.safetensors", cwd=tmp_path), 3, "of sharks already")
    assert [path.name for path in tmp_path.iterdir()] == ["other.safetensors"]


@pytest.mark.parametrize(
    "total, length, clips", [("1s", "0.4s", 3), ("0.3s", "0.1s", 3), ("1.1s", "0.1s", 11), ("0.1s", "0.4s", 1)]
)
def test_total_is_shared_out_over_clips(total, length, clips, tmp_path, pack):
    done = sharks_command("generate", pack, "-o", "out", "--total", total, "--length", length, "--json", cwd=tmp_path)
    assert len(json.loads(done.stdout)["files"]) == clips


def test_check_and_its_exit_code(pack):
    report = json.loads(sharks_command("check", pack, "--device", "reference", "--json").stdout)
    assert report["ok"] is True and report["steps"] > 0 and report["device"] == "reference"


def test_presets(tmp_path):
    listed = json.loads(sharks_command("presets", "--json").stdout)["presets"]
    assert [row["name"] for row in listed] == list(sharks.presets())
    assert all(row["use"] and row["music_minutes"] and row["training_seconds"] for row in listed), "on this CPU"
    table = sharks_command("presets").stdout.splitlines()
    assert [line.split()[0] for line in table[1 : 1 + len(listed)]] == list(sharks.presets())
    assert max(map(len, table)) <= 80
    one = sharks_command("presets", "ibab-wavenet").stdout
    assert "dilations" in one and "receptive field 5117 samples" in one


def test_doctor_has_a_line_for_everything():
    found = json.loads(sharks_command("doctor", "--json").stdout)
    assert {"sharks", "engine", "cuda", "decoder", "torch", "disk"} <= found.keys()
    assert len(sharks_command("doctor").stdout.splitlines()) == len(found)
    assert list(found)[-4:] == ["machine", "preset", "verdict", "next"]
    assert found["verdict"].startswith("ready") and found["preset"].split(",")[0] in sharks.presets()


def test_doctor_says_what_is_missing_and_fails_where_nothing_can_play(monkeypatch, capsys):
    from sharks.proof import doctor

    def verdict():
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as left:
            main(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)
        return left.value.code, found["verdict"], found["next"]

    assert verdict()[0] == 0
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    assert verdict() == (0, "ready to play; to train on your own music it needs torch", "sharks demo")
    monkeypatch.setattr(doctor, "_decoder", lambda: "missing (no libsndfile)")
    code, said, command = verdict()
    assert code == 4 and said == "not ready: libsndfile cannot be loaded" and command.startswith("pip install")


def test_train_says_what_it_takes_where_no_preset_is_named(tmp_path):
    """Two lines, before the music is looked at."""
    (tmp_path / "songs").mkdir()
    done = sharks_command("train", "songs", "--device", "cpu", cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert done.returncode == 3 and lines[0].startswith("this computer: ")
    assert lines[1] == "for the big model use a GPU: -p dadabots-2tier"


def test_bench_tells_speed(pack):
    words = ["bench", pack, "--length", "0.05s", "--streams", "2", "--threads", "1", "--dtype", "float32"]
    found = json.loads(sharks_command(*words, "--dtype", "int8", "--json").stdout)
    played = [(row["dtype"], row["streams"], row["threads"]) for row in found["rows"]]
    assert played == [("float32", 2, 1), ("int8", 2, 1)]
    assert all(row["samples_per_second"] > 0 and row["of_limit"] > 0 for row in found["rows"])
    table = sharks_command(*words).stdout.splitlines()
    assert len(table) == 3 and table[1].split()[0] == "dtype" and table[2].split()[0] == "float32"
    assert len(table[1]) == len(table[2])


def test_curate_says_what_it_would_do_without_doing_it(tmp_path):
    rng = np.random.default_rng(0)
    time = np.arange(6 * RATE) / RATE
    for i in range(3):
        notes = np.repeat(110 * 2 ** (rng.integers(0, 24, 24) / 12), RATE // 4)
        music = 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time % 0.25))
        music += 0.1 * rng.standard_normal(len(time)) * np.exp(-40 * (time % 0.5))
        (tmp_path / "clips").mkdir(exist_ok=True)
        write_wav(tmp_path / "clips" / f"{i}.wav", music, RATE)
    write_wav(tmp_path / "clips" / "silent.wav", np.zeros(RATE), RATE)
    words = ["curate", "clips", "-o", "album", "--minutes", "0.1-1", "--json"]
    plan = sharks_command(*words, "--dry-run", cwd=tmp_path)
    assert not (tmp_path / "album").exists()
    done = sharks_command(*words, cwd=tmp_path)
    assert json.loads(plan.stdout) == {**json.loads(done.stdout), "written": False}
    assert [d["clip"] for d in json.loads(done.stdout)["dropped"]] == ["silent.wav"]
    assert "not used: silent.wav: silent" in done.stderr
    assert sorted(path.name for path in (tmp_path / "album").iterdir()) == ["cuts.json", "song.png", "song.wav"]


def test_results_that_nobody_reads_are_no_error():
    with subprocess.Popen(
        [*COMMAND, "presets"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_leaves_whole_files_and_code_130(kind, tmp_path, pack):
    command = [*COMMAND, "generate", str(pack), "-o", "out", "--length", "2h", "--seed", "1"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        clip = tmp_path / "out" / "0000.wav"
        deadline = time.monotonic() + 60
        while not (clip.exists() and clip.stat().st_size > 10000) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(getattr(signal, kind))
        begin = time.monotonic()
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and time.monotonic() - begin < 5
    assert errors.strip().splitlines()[-1].startswith("sharks: interrupted") and "Traceback" not in errors
    with wave.open(str(clip)) as file:
        assert file.getnframes() > 0


# Words behind options


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("90s", 90),
        ("30m", 1800),
        ("10h", 36000),
        ("1h30m", 5400),
        ("1m30s", 90),
        ("45", 45),
        ("0.5s", 0.5),
        ("1.5H", 5400),
        ("1h30", 5400),  # and not an hour and 30 seconds
        ("5m30", 330),
        ("1:30", 90),
        ("1:02:30", 3750),
    ],
)
def test_durations(text, seconds):
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    "text, hours", [("8", 8), ("0.5", 0.5), ("30m", 0.5), ("1h30m", 1.5), ("1h30", 1.5), ("1:30", 1.5), ("90s", 0.025)]
)
def test_what_stands_behind_hours_counts_in_hours(text, hours):
    assert values.hours(text) == pytest.approx(hours) and values.hours(None) is None


@pytest.mark.parametrize("verb", ["train", "make", "demo"])
def test_a_bare_number_of_hours_is_hours_to_every_verb(verb, tmp_path, monkeypatch):
    """`--hours 8` once trained for eight seconds."""
    asked = []

    def record(*_, hours=None, **__):
        asked.append(hours)
        raise UsageError("enough")

    monkeypatch.setattr("signal.signal", lambda *_: None)  # a command ends its process deaf to Ctrl-C
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # and says warnings in its own way
    monkeypatch.setattr("sharks.training.train", record)
    monkeypatch.setattr("sharks.projects.make.make", record)
    monkeypatch.setattr(
        "sharks.projects.make.dataset_of", lambda *_, **__: types.SimpleNamespace(minutes_to_learn=60.0)
    )
    with pytest.raises(SystemExit):
        main([verb, str(tmp_path), "--hours", "8", "-o", str(tmp_path / "out")])
    assert asked == [8]


@pytest.mark.parametrize(
    "text", ["", "s", "ten", "10x", "1h 30m x", "5s5", "-3s", "1e3", "nan", "3 0s", "9" * 400, "1:60", "1:2", "1:30s"]
)
def test_what_is_no_duration(text):
    if text == "5s5":  # a plain number may end it, as in 1m30
        assert values.duration(text) == 10
        return
    with pytest.raises(UsageError, match="90s"):
        values.duration(text)


@pytest.mark.parametrize(
    "text, meant",
    [
        ("0.95", 0.95),
        ("0.9,1.0", [0.9, 1.0]),
        ("0s:0.9,1m:1.1", [(0.0, 0.9), (60.0, 1.1)]),
    ],
)
def test_temperatures(text, meant):
    assert values.temperature(text) == meant


@pytest.mark.parametrize("text", ["", "warm", "0.9,", "0s:", "0s:0.9,1.0", "a:b"])
def test_what_is_no_temperature(text):
    with pytest.raises(UsageError):
        values.temperature(text)


def test_settings_are_read_as_toml():
    texts = ["model.dim=512", "model.frame_sizes=[16, 64]", "train.learning_rate=1e-3", "model.cell=lstm", 'a.b="x"']
    assert values.settings(texts) == {
        "model.dim": 512,
        "model.frame_sizes": [16, 64],
        "train.learning_rate": 1e-3,
        "model.cell": "lstm",
        "a.b": "x",
    }
    for wrong in ("model.dim", "dim=5", "=5"):
        with pytest.raises(UsageError, match="sets nothing"):
            values.settings([wrong])


@pytest.mark.parametrize(
    "text, file, start",
    [("a.wav", "a.wav", 0), ("a.wav@1m30s", "a.wav", 90), ("me@home.wav", "me@home.wav", 0), ("@3s", "@3s", 0)],
)
def test_files_and_where_to_begin(text, file, start):
    assert values.timed(text) == (file, start)


def test_a_file_whose_name_ends_like_a_time_is_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "take@5").touch()
    assert values.timed("take@5") == ("take@5", 0.0)
    assert values.timed("take@5@3s") == ("take@5", 3.0) and values.timed("take@6") == ("take", 6.0)


@pytest.mark.parametrize("text, pair", [("3-5", (3, 5)), ("4", (4, 4)), ("1-1.5", (1, 1.5))])
def test_minutes(text, pair):
    assert values.minutes(text) == pair


def test_how_far_audio_has_come(monkeypatch):
    shown = []
    monkeypatch.setattr(display.terminal.Terminal, "show", lambda self, *parts: shown.append(parts))
    show = display.of_audio(14)
    show(0.0, 10.0, 0.0)
    show(4.99, 10.0, 2.5)
    display.of_files(3, 12, "song.mp3")
    assert shown == [
        ("begins", "0% of 2 m 20 s of audio", "0.0x real time", "14 at once"),
        ("ETA 2.0 s", "49% of 2 m 20 s of audio", "35.0x real time", "14 at once"),
        ("25% of 12 files", "song.mp3"),
    ]
