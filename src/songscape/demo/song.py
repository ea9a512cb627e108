"""Composes one demo song: draws its frame, lets the style write, sings, plays and mixes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songscape.demo.frame import Frame, melody
from songscape.demo.mixing import Production, balance, decibels, master
from songscape.demo.plan import SongPlan
from songscape.demo.score import Part
from songscape.demo.styles import STYLE_BOOK, Style
from songscape.demo.synthesis import INSTRUMENTS, SYNTHESIS_RATE, Colour, Player, drum
from songscape.demo.voice import Singer, sing

__all__ = ["Song", "compose_song", "draw_tempo"]


@dataclass(frozen=True)
class Song:
    """The sound of one song, shape (n_channels, n_samples) at ``SYNTHESIS_RATE``.

    ``sung_from`` is the time in seconds of the first syllable, 0 for an instrumental.
    """

    samples: NDArray[np.float32]
    sung_from: float


@dataclass(frozen=True)
class _Mood:
    """A theme's weak pull on the music: chance of major, energy, register, brightness, room."""

    major: float
    energy: float
    register: float
    bright: float
    room: float


_MOODS = {
    "love": _Mood(0.75, -0.6, 0.0, -0.4, 0.2),
    "sea": _Mood(0.45, -0.4, -2.0, -0.6, 0.8),
    "city": _Mood(0.25, 0.4, 0.0, 0.6, -0.3),
    "harvest": _Mood(0.9, 0.3, 2.0, 0.3, -0.4),
    "journey": _Mood(0.5, 0.5, -1.0, 0.0, 0.3),
    "freedom": _Mood(0.2, 1.0, 3.0, 0.5, 0.0),
}


@dataclass(frozen=True)
class _Artist:
    """What makes an artist recognisable: taste in instruments, voice, console and room."""

    taste: Mapping[str, float]
    singer: Singer
    tilt: float
    bumps: tuple[tuple[float, float], ...]
    high_cut: float
    reverb_time: float
    wet: float
    drive: float
    brightness: float
    voice_level: float


def draw_tempo(plan: SongPlan, seed: int) -> float:
    """Return the tempo of a song in beats per minute, one decimal."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3, plan.index)))
    low, high = STYLE_BOOK[plan.style].tempo
    pull = 0.06 * _MOODS[plan.mood].energy
    place = np.clip(rng.beta(1.6, 1.6) + pull, 0.0, 1.0)
    return round(float(low * (high / low) ** place), 1)


def compose_song(plan: SongPlan, seed: int, seconds: tuple[float, float]) -> Song:
    """Compose the sound of one song.

    Everything is drawn from generators that depend on the seed, the song's number and its artist
    alone; neither the languages nor the words are looked at, only whether there are any.

    Parameters
    ----------
    plan
        The row of the truth table.
    seed
        Seed of the collection.
    seconds
        Shortest and longest duration.

    Returns
    -------
    Song
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, plan.index)))
    artist = _draw_artist(
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, plan.artist)))
    )
    mood = _MOODS[plan.mood]
    n_samples = round(float(rng.uniform(*seconds)) * SYNTHESIS_RATE)
    style = STYLE_BOOK[plan.style]
    frame = _draw_frame(rng, style, mood, artist, 60 / draw_tempo(plan, seed), n_samples)
    parts = style.write(frame)
    intro = int(rng.integers(0, 3)) if frame.n_bars >= 6 else 0
    if plan.instrumental or frame.rng.random() < 0.25:
        grid, density, phrase, rest = style.vocal
        tune = melody(
            frame,
            near=70 + frame.register,
            grid=grid,
            density=density,
            phrase_bars=phrase,
            rest=rest if plan.instrumental else 0.6,
            start_bar=intro,
        )
        parts.append(Part(frame.pick(*style.leads), tune, -2.0 if plan.instrumental else -7.0))

    mix = np.zeros((plan.channels, n_samples), dtype=np.float32)
    kit = tuple(float(rng.uniform(low, high)) for low, high in ((0.8, 1.3), (0.6, 1.5), (0.1, 0.9)))
    for part in parts:
        sound = _perform(part, n_samples, artist, rng, kit)
        level = decibels(part.level + float(rng.normal(0, 2.0)))
        _add(mix, level * balance(sound), part.pan)

    sung_from = 0.0
    if not plan.instrumental:
        grid, density, phrase, rest = style.vocal
        tune = melody(
            frame,
            near=artist.singer.register + 7 + 0.7 * frame.register,
            grid=grid,
            density=density * float(rng.uniform(0.75, 1.3)),
            phrase_bars=phrase,
            rest=rest,
            legato=float(rng.uniform(0.75, 1.0)),
            start_bar=intro,
        )
        voice = balance(sing(artist.singer, tune, n_samples, rng))
        backing = float(np.sqrt(np.mean(mix**2))) + 1e-3
        level = decibels(artist.voice_level + float(rng.normal(0, 2.0)))
        _add(mix, np.float32(backing * level) * voice, 0.0)
        sung_from = tune[0].start if tune else 0.0

    return Song(master(mix, _draw_production(rng, artist, mood, n_samples), rng), sung_from)


def _draw_frame(
    rng: np.random.Generator,
    style: Style,
    mood: _Mood,
    artist: _Artist,
    beat: float,
    n_samples: int,
) -> Frame:
    seconds = n_samples / SYNTHESIS_RATE
    beats = int(rng.choice(style.beats_per_bar))
    n_bars = max(1, int(np.ceil(seconds / (beat * beats))))
    scales = style.major if rng.random() < mood.major else style.minor
    progression = style.progressions[int(rng.integers(len(style.progressions)))]
    # The excerpt starts anywhere in the song's form: a build, a drop, or even all through.
    shape = int(rng.integers(4))
    position = np.arange(n_bars) / max(1, n_bars - 1)
    levels = [
        np.where(position < 0.25, 1, np.where(position < 0.6, 2, 3)),
        np.where((position > 0.4) & (position < 0.6), 0, 3),
        np.full(n_bars, 2),
        np.where(position < 0.15, 0, 2 + (position > 0.5)),
    ][shape]
    if rng.random() < 0.4 + 0.2 * mood.energy:
        levels = np.minimum(3, levels + 1)
    return Frame(
        rng=rng,
        seconds=seconds,
        beat=beat,
        beats_per_bar=beats,
        swing=float(rng.uniform(*style.swing)),
        tonic=int(rng.integers(55, 67)),
        scale=scales[int(rng.integers(len(scales)))],
        progression=progression,
        levels=tuple(int(level) for level in levels),
        taste=artist.taste,
        register=mood.register + float(rng.normal(0, 2)),
        energy=mood.energy,
    )


def _draw_artist(rng: np.random.Generator) -> _Artist:
    high = rng.random() < 0.5
    weights = rng.dirichlet(np.full(6, 3.0))
    singer = Singer(
        register=float(rng.uniform(55, 62) if high else rng.uniform(45, 53)),
        tract=float(rng.uniform(1.08, 1.28) if high else rng.uniform(0.86, 1.06)),
        tilt=float(rng.uniform(0.7, 1.7)),
        vibrato_rate=float(rng.uniform(4.6, 6.6)),
        vibrato_depth=float(rng.uniform(0.05, 0.7)),
        breath=float(rng.uniform(0.0, 0.15)),
        glide=float(rng.uniform(0.03, 0.12)),
        vowels=tuple(float(w) for w in weights / weights.sum()),
    )
    return _Artist(
        taste={name: float(rng.gumbel()) for name in INSTRUMENTS},
        singer=singer,
        tilt=float(rng.normal(0, 0.8)),
        bumps=_draw_bumps(rng, 2, 4.0),
        high_cut=float(np.exp(rng.uniform(np.log(5500), np.log(10500)))),
        reverb_time=float(np.exp(rng.uniform(np.log(0.2), np.log(2.5)))),
        wet=float(rng.uniform(-22, -4)),
        drive=float(np.exp(rng.uniform(np.log(0.4), np.log(3.0)))),
        brightness=float(rng.normal(0, 0.2)),
        voice_level=float(rng.uniform(-4, 2)),
    )


def _draw_production(
    rng: np.random.Generator, artist: _Artist, mood: _Mood, n_samples: int
) -> Production:
    length = n_samples / SYNTHESIS_RATE
    return Production(
        tilt=artist.tilt + 1.1 * mood.bright + float(rng.normal(0, 0.5)),
        bumps=(*artist.bumps, *_draw_bumps(rng, 1, 2.5)),
        low_cut=float(np.exp(rng.uniform(np.log(25), np.log(140)))),
        high_cut=float(np.clip(artist.high_cut * np.exp(rng.normal(0, 0.12)), 2800, 10800)),
        reverb_time=artist.reverb_time * float(np.exp(0.5 * mood.room + rng.normal(0, 0.25))),
        wet=min(-2.0, artist.wet + 4 * mood.room + float(rng.normal(0, 2.5))),
        noise=float(rng.uniform(-78, -53)),
        drive=artist.drive * float(np.exp(0.35 * mood.energy + rng.normal(0, 0.25))),
        peak=float(rng.uniform(-7.5, -2)),
        fade_in=min(0.2 * length, float(rng.uniform(0.01, 0.3))),
        fade_out=min(0.3 * length, float(rng.uniform(0.1, 3.0))),
    )


def _draw_bumps(
    rng: np.random.Generator, count: int, spread: float
) -> tuple[tuple[float, float], ...]:
    centres = np.exp(rng.uniform(np.log(120), np.log(7000), count))
    return tuple((float(c), float(h)) for c, h in zip(centres, rng.normal(0, spread, count)))


def _perform(
    part: Part,
    n_samples: int,
    artist: _Artist,
    rng: np.random.Generator,
    kit: tuple[float, ...],
) -> NDArray[np.float32]:
    sound = np.zeros(n_samples, dtype=np.float32)
    if part.instrument in INSTRUMENTS:
        colour = Colour(
            tilt=artist.brightness + float(rng.normal(0, 0.25)),
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
    room = len(into) - first
    if room > 0:
        into[first : first + len(sound)] += np.float32(velocity) * sound[:room]


def _add(mix: NDArray[np.float32], sound: NDArray[np.float32], pan: float) -> None:
    if len(mix) == 1:
        mix[0] += sound
        return
    angle = (pan + 1) * np.pi / 4
    mix[0] += np.float32(np.sqrt(2) * np.cos(angle)) * sound
    mix[1] += np.float32(np.sqrt(2) * np.sin(angle)) * sound
