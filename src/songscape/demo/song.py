"""Composes one demo song: draws its frame, lets the style write, sings, plays and mixes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.data_tables import Row, read_table
from songscape.demo.frame import Frame, Part, melody
from songscape.demo.mixing import balance, decibels, master
from songscape.demo.plan import SongPlan
from songscape.demo.styles import MOODS, SCALES, STYLES, play
from songscape.demo.synthesis import INSTRUMENTS, SYNTHESIS_RATE, Colour, Player, drum
from songscape.demo.voice import sing


def draw_tempo(plan: SongPlan, seed: int) -> float:
    """Return the tempo of a song in beats per minute, one decimal."""
    low, high = STYLES[plan.style]["tempo"]
    place = _generator(seed, 3, plan.index).beta(1.6, 1.6) + 0.06 * MOODS[plan.mood]["energy"]
    return round(float(low * (high / low) ** np.clip(place, 0.0, 1.0)), 1)


def compose_song(
    plan: SongPlan, seed: int, seconds: tuple[float, float]
) -> tuple[NDArray[np.float32], float]:
    """Compose one song, whose length lies between two numbers of ``seconds``.

    Returns the sound, shape (n_channels, n_samples), and when the first syllable comes (s; else 0).
    Everything is drawn from generators that depend on the seed, the song's number and its artist
    alone; neither the languages nor the words are looked at, only whether there are any.
    """
    rng = _generator(seed, 1, plan.index)
    singer, taste, console = _draw_artist(_generator(seed, 2, plan.artist))
    mood, style = MOODS[plan.mood], STYLES[plan.style]
    n_samples = round(float(rng.uniform(*seconds)) * SYNTHESIS_RATE)
    frame = _draw_frame(rng, plan, taste, 60 / draw_tempo(plan, seed), n_samples)
    parts = play(style["layers"], frame)
    intro = int(rng.integers(0, 3)) if frame.n_bars >= 6 else 0
    vocal: dict[str, Any] = {**style["vocal"], "start_bar": intro}
    if plan.instrumental or frame.rng.random() < 0.25:
        rest = vocal["rest"] if plan.instrumental else 0.6
        tune = melody(frame, near=70 + frame.register, **{**vocal, "rest": rest})
        parts.append(Part(frame.pick(style["leads"]), tune, -2.0 if plan.instrumental else -7.0))

    mix = np.zeros((plan.channels, n_samples), dtype=np.float32)
    kit = tuple(float(rng.uniform(low, high)) for low, high in ((0.8, 1.3), (0.6, 1.5), (0.1, 0.9)))
    for part in parts:
        sound = _perform(part, n_samples, console["brightness"], rng, kit)
        level = decibels(part.level + float(rng.normal(0, 2.0)))
        _add(mix, level * balance(sound), part.pan)

    sung_from = 0.0
    if not plan.instrumental:
        vocal["density"] *= float(rng.uniform(0.75, 1.3))
        vocal["legato"] = float(rng.uniform(0.75, 1.0))
        tune = melody(frame, near=singer["register"] + 7 + 0.7 * frame.register, **vocal)
        voice = balance(sing(singer, tune, n_samples, rng))
        backing = float(np.sqrt(np.mean(mix**2))) + 1e-3
        level = decibels(console["voice_level"] + float(rng.normal(0, 2.0)))
        _add(mix, np.float32(backing * level) * voice, 0.0)
        sung_from = tune[0].start if tune else 0.0

    return master(mix, _draw_record(rng, console, mood, n_samples), rng), sung_from


def _generator(seed: int, kind: int, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(kind, number)))


def _draw_frame(
    rng: np.random.Generator, plan: SongPlan, taste: Row, beat: float, n_samples: int
) -> Frame:
    mood, style = MOODS[plan.mood], STYLES[plan.style]
    seconds = n_samples / SYNTHESIS_RATE
    beats = int(rng.choice(style["beats_per_bar"]))
    n_bars = max(1, int(np.ceil(seconds / (beat * beats))))
    scales = style["major" if rng.random() < mood["major"] else "minor"]
    progression = style["progressions"][int(rng.integers(len(style["progressions"])))]
    # The excerpt starts anywhere in the song's form: a build, a drop, or even all through.
    shape = int(rng.integers(4))
    position = np.arange(n_bars) / max(1, n_bars - 1)
    levels = [
        np.where(position < 0.25, 1, np.where(position < 0.6, 2, 3)),
        np.where((position > 0.4) & (position < 0.6), 0, 3),
        np.full(n_bars, 2),
        np.where(position < 0.15, 0, 2 + (position > 0.5)),
    ][shape]
    if rng.random() < 0.4 + 0.2 * mood["energy"]:
        levels = np.minimum(3, levels + 1)
    return Frame(
        rng=rng,
        seconds=seconds,
        beat=beat,
        beats_per_bar=beats,
        swing=float(rng.uniform(*style["swing"])),
        tonic=int(rng.integers(55, 67)),
        scale=SCALES[scales[int(rng.integers(len(scales)))]],
        progression=progression,
        levels=tuple(levels.tolist()),
        taste=taste,
        register=mood["register"] + float(rng.normal(0, 2)),
        energy=mood["energy"],
    )


def _draw(rng: np.random.Generator, table: Row) -> dict[str, Any]:
    """Draw a row of ``data/sounds.toml``."""
    drawn: dict[str, Any] = {}
    for name, (kind, *numbers) in table.items():
        if name == "bumps":
            centres = np.exp(rng.uniform(np.log(120), np.log(7000), kind))
            heights = rng.normal(0, numbers[0], kind)
            drawn[name] = tuple(zip(centres.tolist(), heights.tolist()))
        elif kind == "log":
            drawn[name] = float(np.exp(rng.uniform(*np.log(numbers))))
        else:
            drawn[name] = float(getattr(rng, kind)(*numbers))
    return drawn


def _draw_artist(rng: np.random.Generator) -> tuple[Row, Row, Row]:
    """What makes an artist recognisable: voice, taste in instruments, console and room."""
    tables = read_table("demo/data", "sounds")
    register = "high" if rng.random() < 0.5 else "low"
    weights = rng.dirichlet(np.full(6, 3.0))
    voice = _draw(rng, tables["voices"][register]) | {"vowels": weights / weights.sum()}
    taste = {name: float(rng.gumbel()) for name in INSTRUMENTS}
    return voice, taste, _draw(rng, tables["console"])


def _draw_record(rng: np.random.Generator, console: Row, mood: Row, n_samples: int) -> Row:
    record = _draw(rng, read_table("demo/data", "sounds")["record"])
    length = n_samples / SYNTHESIS_RATE
    high_cut = np.clip(console["high_cut"] * np.exp(record["high_cut"]), 2800, 10800)
    reverb_time = console["reverb_time"] * np.exp(0.5 * mood["room"] + record["reverb_time"])
    return record | {
        "tilt": console["tilt"] + 1.1 * mood["bright"] + record["tilt"],
        "bumps": console["bumps"] + record["bumps"],
        "high_cut": float(high_cut),
        "reverb_time": float(reverb_time),
        "wet": min(-2.0, console["wet"] + 4 * mood["room"] + record["wet"]),
        "drive": float(console["drive"] * np.exp(0.35 * mood["energy"] + record["drive"])),
        "fade_in": min(0.2 * length, record["fade_in"]),
        "fade_out": min(0.3 * length, record["fade_out"]),
    }


def _perform(
    part: Part, n_samples: int, bright: float, rng: np.random.Generator, kit: tuple[float, ...]
) -> NDArray[np.float32]:
    sound = np.zeros(n_samples, dtype=np.float32)
    if part.instrument in INSTRUMENTS:
        colour = Colour(
            tilt=bright + float(rng.normal(0, 0.25)),
            attack=float(np.exp(rng.normal(0, 0.4))),
            decay=float(np.exp(rng.normal(0, 0.35))),
            detune=float(rng.uniform(-0.002, 0.004)),
        )
        player = Player(part.instrument, colour, rng)
        for note in part.notes:
            _place(sound, player.note(note.pitch, note.duration), note.start, note.velocity)
        return sound
    takes = [drum(part.instrument, rng, *kit) for _ in range(3)]
    for k, note in enumerate(part.notes):
        _place(sound, takes[k % len(takes)], note.start, note.velocity)
    return sound


def _place(
    into: NDArray[np.float32], sound: NDArray[np.float32], start: float, velocity: float
) -> None:
    first = round(start * SYNTHESIS_RATE)
    sound = sound[: max(0, len(into) - first)]
    into[first : first + len(sound)] += np.float32(velocity) * sound


def _add(mix: NDArray[np.float32], sound: NDArray[np.float32], pan: float) -> None:
    angle = (pan + 1) * np.pi / 4
    stereo = np.sqrt(2) * np.cos(angle), np.sqrt(2) * np.sin(angle)
    for channel, gain in zip(mix, stereo if len(mix) == 2 else (1.0,)):
        channel += np.float32(gain) * sound
