"""The musical styles: layers listed in ``data/styles.toml``, and the functions that play them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from songscape.data_tables import Row, read_table
from songscape.demo.frame import Frame, Note, Part, degree_pitch, fold, melody, triad

_TABLE = read_table("demo/data", "styles")
MOODS: dict[str, Row] = _TABLE["moods"]
SCALES: dict[str, tuple[int, ...]] = _TABLE["scales"]
STYLES: dict[str, Row] = _TABLE["styles"]


def play(layers: Sequence[Row], frame: Frame) -> list[Part]:
    """Write the parts of all layers that the song has."""
    parts: list[Part] = []
    for layer in layers:
        if "chance" in layer and not frame.chance(layer["chance"]):
            continue
        group = layer.get("layers")
        parts += play(group, frame) if group else _WRITERS[layer["play"]](frame, layer)
    return parts


def _bars(frame: Frame, layer: Row) -> list[int]:
    """Bars that are intense enough for the layer."""
    return [bar for bar, level in enumerate(frame.levels) if level >= layer.get("bars", 0)]


def _pattern(frame: Frame, layer: Row) -> Any:
    usual = "often" not in layer or frame.chance(layer["often"])
    return layer["pattern"] if usual else layer["otherwise"]


def _level(frame: Frame, layer: Row) -> float:
    level = layer["level"]
    return float(frame.rng.uniform(*level) if isinstance(level, tuple) else level)


def _root(frame: Frame, bar: int, steps: int = 0, near: float = 40) -> int:
    """Pitch of a bass note, so many scale steps above the root of the bar's chord."""
    return fold(degree_pitch(frame, frame.degree(bar) + steps), near)


def _drum(frame: Frame, layer: Row) -> list[Part]:
    pattern = _pattern(frame, layer)
    name, level = frame.pick(layer["names"]), _level(frame, layer)
    notes = [
        frame.note(bar, beat, 0.5, 0, velocity)
        for bar in _bars(frame, layer)
        for beat, velocity in pattern
    ]
    return [Part(name, tuple(notes), level, pan=float(frame.rng.uniform(-0.4, 0.4)))]


def _fills(frame: Frame, _layer: Row) -> list[Part]:
    """Drum fills at the end of every fourth bar."""
    drum = frame.pick(("tom", "snare", "rim"))
    notes = []
    for bar in range(3, frame.n_bars, 4):
        if frame.levels[bar] >= 2 and frame.chance(0.7):
            length = int(frame.rng.integers(1, 3))
            for step in range(4 * length):
                if frame.rng.random() < 0.75:
                    beat = frame.beats_per_bar - length + step / 4
                    notes.append(frame.note(bar, beat, 0.25, 0, 0.5 + 0.1 * step / length))
    return [Part(drum, tuple(notes), -7)]


def _chords(frame: Frame, layer: Row, pattern: Any = ()) -> list[Part]:
    name = frame.pick(layer["names"])
    pattern = pattern or _pattern(frame, layer)
    near, size, strum = layer.get("near", 60), layer.get("size", 3), layer.get("strum", 0)
    notes: list[Note] = []
    for bar in _bars(frame, layer):
        pitches = triad(frame, frame.degree(bar), near=near, size=size)
        for beat, length in pattern:
            for k, pitch in enumerate(pitches):
                note = frame.note(bar, beat, length, pitch, 0.7)
                notes.append(replace(note, start=note.start + strum * k))
    return [Part(name, tuple(notes), layer["level"], pan=float(frame.rng.uniform(-0.6, 0.6)))]


def _stabs(frame: Frame, layer: Row) -> list[Part]:
    """Short chords on some of the sixteenths."""
    hits = [(k / 4, 0.25) for k in range(16) if frame.rng.random() < 0.25] or [(1.5, 0.25)]
    return _chords(frame, layer, hits)


def _arpeggio(frame: Frame, layer: Row) -> list[Part]:
    name, rate = frame.pick(layer["names"]), layer["per_beat"]
    rate = int(frame.rng.integers(*rate)) if isinstance(rate, tuple) else rate
    order = frame.rng.permutation(4)
    notes = []
    for bar in _bars(frame, layer):
        chord = triad(frame, frame.degree(bar), near=layer["near"])
        chord = [*chord, chord[0] + 12]
        for step in range(frame.beats_per_bar * rate):
            notes.append(frame.note(bar, step / rate, 1.5 / rate, chord[order[step % 4]], 0.7))
    return [Part(name, tuple(notes), layer["level"], pan=float(frame.rng.uniform(-0.6, 0.6)))]


def _bass(frame: Frame, layer: Row) -> list[Part]:
    notes = [
        frame.note(bar, beat, length, _root(frame, bar, int(steps), layer["near"]))
        for bar in range(frame.n_bars)
        for beat, length, steps, least in layer["pattern"]
        if beat < frame.beats_per_bar and frame.levels[bar] >= least
    ]
    return [Part(frame.pick(layer["names"]), tuple(notes), _level(frame, layer))]


def _riff(frame: Frame, layer: Row) -> list[Part]:
    """A bass figure drawn once: each place of the bar is hit with its share, at a drawn step."""
    shares = layer["shares"]
    hits = [k for k, share in enumerate(shares) if frame.rng.random() < share] or layer["otherwise"]
    steps = frame.rng.choice(layer["steps"], len(shares)).tolist()
    notes = []
    for bar in range(frame.n_bars):
        for k in hits:
            in_scale, above = (0, steps[k]) if layer["chromatic"] else (steps[k], 0)
            pitch = _root(frame, bar, in_scale, layer["near"]) + above
            notes.append(
                frame.note(bar, 4 * k / len(shares), layer["length"], pitch, layer["velocity"])
            )
    return [Part(frame.pick(layer["names"]), tuple(notes), _level(frame, layer))]


def _tune(frame: Frame, layer: Row) -> list[Part]:
    notes = tuple(
        Note(n.start + k * 0.75 * frame.beat, n.duration, n.pitch, n.velocity * 0.55**k)
        for n in melody(frame, **layer["tune"])
        for k in range(1 + layer.get("echoes", 0))
    )
    return [Part(frame.pick(layer["names"]), notes, _level(frame, layer), layer["pan"])]


def _solo(frame: Frame, layer: Row) -> list[Part]:
    name = frame.pick(layer["names"])
    if not frame.chance(layer["often"]):
        return []
    return [Part(name, melody(frame, **layer["tune"]), _level(frame, layer), layer["pan"])]


def _waltz(frame: Frame, layer: Row) -> list[Part]:
    bass, chords = [], []
    stress = float(frame.rng.uniform(0.5, 0.9))
    for bar in range(frame.n_bars):
        root = _root(frame, bar)
        bass.append(frame.note(bar, 0, 1.2, root if bar % 2 == 0 else root + 7 - 12 * (root > 42)))
        for beat in (1, 2):
            for pitch in triad(frame, frame.degree(bar), near=60):
                chords.append(frame.note(bar, beat, 0.55, pitch, stress))
    parts = [Part(frame.pick(layer["names"]), tuple(bass), -4)]
    return [*parts, Part(frame.pick(layer["chords"]), tuple(chords), -6, 0.3)]


def _drone(frame: Frame, layer: Row) -> list[Part]:
    low = fold(frame.tonic, 50)
    cycle = [low - 5 if 7 in frame.scale else low - 7, low, low, low - 12]
    pulse = float(frame.rng.uniform(0.45, 0.9))
    notes = [
        Note(k * pulse, 2.5 * pulse, cycle[k % 4], float(frame.rng.uniform(0.6, 0.9)))
        for k in range(int(frame.seconds / pulse) + 1)
    ]
    name = frame.pick(layer["names"])
    return [Part(name, tuple(notes), _level(frame, layer), -0.2)]


def _tabla(frame: Frame, _layer: Row) -> list[Part]:
    beats, rng = frame.beats_per_bar, frame.rng
    ge = [(float(b), 0.8) for b in range(beats) if b == 0 or rng.random() < 0.35]
    na = [(b / 2, 0.7) for b in range(2 * beats) if rng.random() < (0.75 if b % 2 == 0 else 0.3)]
    parts = []
    if frame.chance(0.85):
        low, high = ("ge", "na") if frame.chance(0.7) else ("kick", "rim")
        parts += _drum(frame, {"names": (low,), "pattern": ge, "level": -5, "bars": 1})
        parts += _drum(frame, {"names": (high,), "pattern": na, "level": -8, "bars": 1})
    if frame.chance(0.25):
        bells = ((0, 0.6), (beats // 2, 0.5))
        parts += _drum(frame, {"names": ("tambourine",), "pattern": bells, "level": -15, "bars": 1})
    return parts


def _voices(frame: Frame, layer: Row) -> list[Part]:
    """Four voices that move as little as they can, with passing notes."""
    rng = frame.rng
    choir = frame.pick(layer["names"])
    voices: list[list[Note]] = [[], [], [], []]
    previous = [48.0, 57.0, 62.0, 69.0]
    per_bar = 2 if frame.chance(0.6) else 1
    length = frame.beats_per_bar / per_bar
    for bar in range(frame.n_bars):
        for half in range(per_bar):
            degree = frame.degree(bar * per_bar + half)
            notes = [degree_pitch(frame, degree + 2 * k) for k in range(3)]
            chord = [fold(notes[0], 46)]
            for target in previous[1:]:
                chord.append(min((abs(p - target), p) for p in (fold(n, target) for n in notes))[1])
            for voice, pitch in zip(voices, chord):
                passing = rng.random() < 0.3 and length >= 2
                sounding = length / 2 if passing else length
                voice.append(frame.note(bar, half * length, sounding * 0.97, pitch, 0.7))
                if passing:
                    step = fold(degree_pitch(frame, degree + int(rng.choice([1, 3, 6]))), pitch)
                    beat = half * length + sounding
                    voice.append(frame.note(bar, beat, sounding * 0.95, step, 0.6))
            previous = [float(p) for p in chord]
    return [Part(choir, tuple(v), -5, pan) for v, pan in zip(voices, (-0.5, 0.2, -0.2, 0.5))]


def _blues(frame: Frame, layer: Row) -> list[Part]:
    form = (0, 5, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7) if frame.chance(0.5) else (0, 0, 5, 0, 7, 5, 0, 7)
    bass, chords = [], []
    walking = frame.chance(0.7)
    riff = frame.rng.choice([0, 4, 7, 9, 10], 4)
    pattern = [(float(b), 0.4) for b in range(4)] if frame.chance(0.5) else [(0.5, 0.3), (2.5, 0.3)]
    for bar in range(frame.n_bars):
        root = fold(frame.tonic + form[bar % len(form)], 40)
        for beat in range(4):
            step = int(riff[beat]) if walking and beat else 0
            bass.append(frame.note(bar, beat, 0.85, root + step, 0.8))
        for at, length in pattern:
            for third in (4, 7, 10):
                chords.append(frame.note(bar, at, length, fold(root + third, 60), 0.65))
    parts = [Part(frame.pick(layer["names"]), tuple(bass), -4)]
    return [*parts, Part(frame.pick(layer["chords"]), tuple(chords), -6, 0.4)]


_WRITERS = {
    function.__name__[1:]: function
    for function in (
        *(_arpeggio, _bass, _blues, _chords, _drone, _drum, _fills, _riff, _solo, _stabs),
        *(_tabla, _tune, _voices, _waltz),
    )
}
