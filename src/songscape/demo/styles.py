"""The seven musical styles: each writes parts into a frame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from songscape.demo.frame import Frame, degree_pitch, fold, melody, triad
from songscape.demo.score import Note, Part

__all__ = ["STYLE_BOOK", "Style"]

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_DORIAN = (0, 2, 3, 5, 7, 9, 10)
_MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
_HARMONIC_MINOR = (0, 2, 3, 5, 7, 8, 11)
_BLUES_MINOR = (0, 3, 5, 6, 7, 10)
_YAMAN = (0, 2, 4, 6, 7, 9, 11)
_BHAIRAV = (0, 1, 4, 5, 7, 8, 11)
_BHAIRAVI = (0, 1, 3, 5, 7, 8, 10)
_BHUPALI = (0, 2, 4, 7, 9)


@dataclass(frozen=True)
class Style:
    """A style's ranges and its writer.

    ``tempo`` is in beats per minute; ``major`` and ``minor`` are the scales between which the mood
    leans; ``progressions`` are scale degrees, one per bar; ``vocal`` gives grid, density, phrase
    length in bars and resting share of a sung tune.
    """

    tempo: tuple[float, float]
    beats_per_bar: tuple[int, ...]
    swing: tuple[float, float]
    major: tuple[tuple[int, ...], ...]
    minor: tuple[tuple[int, ...], ...]
    progressions: tuple[tuple[int, ...], ...]
    vocal: tuple[int, float, int, float]
    leads: tuple[str, ...]
    write: Callable[[Frame], list[Part]]


def _beat_part(
    frame: Frame, name: str, beats: Mapping[float, float], level: float, bars: int
) -> Part:
    """Repeat a drum pattern {beat: velocity} in every bar whose intensity is at least ``bars``."""
    notes = [
        frame.note(bar, beat, 0.5, 0, velocity)
        for bar in range(frame.n_bars)
        if frame.levels[bar] >= bars
        for beat, velocity in beats.items()
    ]
    return Part(name, tuple(notes), level, pan=float(frame.rng.uniform(-0.4, 0.4)))


def _fills(frame: Frame, every: int) -> Part:
    """Write drum fills at the ends of sections."""
    drum = frame.one_of(("tom", "snare", "rim"))
    notes = []
    for bar in range(every - 1, frame.n_bars, every):
        if frame.levels[bar] >= 2 and frame.chance(0.7):
            length = int(frame.rng.integers(1, 3))
            for step in range(4 * length):
                if frame.rng.random() < 0.75:
                    beat = frame.beats_per_bar - length + step / 4
                    notes.append(frame.note(bar, beat, 0.25, 0, 0.5 + 0.1 * step / length))
    return Part(drum, tuple(notes), -7)


def _chords(
    frame: Frame,
    name: str,
    pattern: Sequence[tuple[float, float]],
    *,
    level: float = -6,
    bars: int = 0,
    near: float = 60,
    size: int = 3,
    strum: float = 0.0,
) -> Part:
    """Play the bar's chord at each (beat, length in beats) of a pattern."""
    notes: list[Note] = []
    for bar in range(frame.n_bars):
        if frame.levels[bar] < bars:
            continue
        pitches = triad(frame, frame.degree(bar), near=near, size=size)
        for beat, length in pattern:
            for k, pitch in enumerate(pitches):
                note = frame.note(bar, beat, length, pitch, 0.7)
                notes.append(Note(note.start + strum * k, note.duration, pitch, note.velocity))
    return Part(name, tuple(notes), level, pan=float(frame.rng.uniform(-0.6, 0.6)))


def _arpeggio(
    frame: Frame, name: str, per_beat: int, *, level: float = -7, near: float = 64, bars: int = 0
) -> Part:
    order = frame.rng.permutation(4)
    notes = []
    for bar in range(frame.n_bars):
        if frame.levels[bar] < bars:
            continue
        chord = triad(frame, frame.degree(bar), near=near)
        chord = [*chord, chord[0] + 12]
        for step in range(frame.beats_per_bar * per_beat):
            pitch = chord[order[step % 4]]
            notes.append(frame.note(bar, step / per_beat, 1.5 / per_beat, pitch, 0.7))
    return Part(name, tuple(notes), level, pan=float(frame.rng.uniform(-0.6, 0.6)))


def _bass_root(frame: Frame, bar: int) -> int:
    return fold(degree_pitch(frame, frame.degree(bar)), 40)


def _waltz(frame: Frame) -> list[Part]:
    bass, chords = [], []
    stress = float(frame.rng.uniform(0.5, 0.9))
    for bar in range(frame.n_bars):
        root = _bass_root(frame, bar)
        bass.append(frame.note(bar, 0, 1.2, root if bar % 2 == 0 else root + 7 - 12 * (root > 42)))
        for beat in (1, 2):
            for pitch in triad(frame, frame.degree(bar), near=60):
                chords.append(frame.note(bar, beat, 0.55, pitch, stress))
    low = frame.pick("upright bass", "electric bass", "brass", "organ")
    comping = frame.pick("accordion", "guitar", "piano", "strings", "lute", "clarinet")
    parts = [Part(low, tuple(bass), -4), Part(comping, tuple(chords), -6, 0.3)]
    if frame.chance(0.45):
        parts.append(_chords(frame, frame.pick("strings", "accordion", "pad"), [(0, 3)], bars=2))
    if frame.chance(0.35):
        parts.append(_arpeggio(frame, frame.pick("guitar", "bell", "piano", "harpsichord"), 2))
    if frame.chance(0.5):
        drum = frame.one_of(("brush", "tambourine", "shaker", "snare"))
        parts.append(_beat_part(frame, drum, {1: 0.6, 2: 0.5}, -12, 1))
    if frame.chance(0.4):
        parts.append(_beat_part(frame, "kick", {0: 0.8}, -8, 2))
    return parts


def _house(frame: Frame) -> list[Part]:
    rng = frame.rng
    kick = (
        {0.0: 1.0, 1.0: 1.0, 2.0: 1.0, 3.0: 1.0}
        if frame.chance(0.7)
        else {0.0: 1.0, 1.5: 0.8, 2.0: 1.0}
    )
    parts = [_beat_part(frame, "kick", kick, float(rng.uniform(-6, 0)), 1)]
    parts.append(_beat_part(frame, frame.one_of(("clap", "snare", "rim")), {1: 0.8, 3: 0.8}, -8, 2))
    hats = {0.5 + k: 0.7 for k in range(4)}
    if frame.chance(0.5):
        hats |= {k / 4: 0.4 for k in range(16) if k % 4 != 2}
    hat = frame.one_of(("hat", "open hat", "shaker", "tambourine"))
    parts.append(_beat_part(frame, hat, hats, float(rng.uniform(-20, -11)), 1))
    mask = [k for k in range(16) if rng.random() < 0.3 + 0.25 * (k % 4 == 2)] or [2, 6, 10, 14]
    jumps = rng.choice([0, 0, 0, 12, 7], 16)
    bass = [
        frame.note(bar, k / 4, 0.3, _bass_root(frame, bar) + int(jumps[k]), 0.8)
        for bar in range(frame.n_bars)
        for k in mask
    ]
    low = frame.pick("synth bass", "sub bass", "electric bass", "square")
    parts.append(Part(low, tuple(bass), -3))
    if frame.chance(0.7):
        pad = frame.pick("pad", "strings", "organ", "saw")
        parts.append(_chords(frame, pad, [(0, 4)], level=-10, near=62, size=4))
    stabs = [(k / 4, 0.25) for k in range(16) if rng.random() < 0.25] or [(1.5, 0.25)]
    stab = frame.pick("saw", "electric piano", "piano", "square", "brass", "marimba")
    parts.append(_chords(frame, stab, stabs, level=-7, bars=1, near=65))
    if frame.chance(0.4):
        line = frame.pick("square", "saw", "bell", "marimba", "guitar")
        parts.append(_arpeggio(frame, line, 4, level=-10, bars=2))
    return [*parts, _fills(frame, 4)]


def _ballad(frame: Frame) -> list[Part]:
    keys = frame.pick("piano", "electric piano", "guitar", "harpsichord", "bell", "lute")
    parts = [_arpeggio(frame, keys, int(frame.rng.integers(1, 4)), level=-4, near=60)]
    if frame.chance(0.6):
        pad = frame.pick("pad", "strings", "organ", "accordion", "brass")
        parts.append(_chords(frame, pad, [(0, 4)], level=-9, bars=1))
    bass = []
    for bar in range(frame.n_bars):
        bass.append(frame.note(bar, 0, 2, _bass_root(frame, bar)))
        if frame.levels[bar] >= 1:
            bass.append(frame.note(bar, 2.5, 1.2, _bass_root(frame, bar)))
    low = frame.pick("electric bass", "upright bass", "sub bass")
    parts.append(Part(low, tuple(bass), -5))
    if frame.chance(0.65):
        parts.append(_beat_part(frame, "kick", {0: 0.8, 2.5: 0.6}, -6, 1))
        back = frame.one_of(("rim", "snare", "brush", "clap"))
        parts.append(_beat_part(frame, back, {1: 0.6, 3: 0.7}, -9, 1))
        time = {k / 2: 0.5 for k in range(8)}
        parts.append(_beat_part(frame, frame.one_of(("hat", "shaker", "brush")), time, -17, 2))
        parts.append(_fills(frame, 4))
    if frame.chance(0.3):
        parts.append(_chords(frame, "guitar", [(1, 1), (3, 1)], level=-9, strum=0.02))
    return parts


def _reggae(frame: Frame) -> list[Part]:
    rng = frame.rng
    skank = frame.pick("muted guitar", "organ", "electric piano", "guitar", "piano", "accordion")
    off = [(0.5 + k, 0.22) for k in range(4)] if frame.chance(0.5) else [(1.0, 0.3), (3.0, 0.3)]
    parts = [_chords(frame, skank, off, level=-5, near=64)]
    mask = [k for k in range(8) if rng.random() < 0.45] or [0, 3]
    steps = rng.choice([0, 0, 2, 4, 7], 8)
    bass = []
    for bar in range(frame.n_bars):
        for k in mask:
            pitch = fold(degree_pitch(frame, frame.degree(bar) + int(steps[k])), 38)
            bass.append(frame.note(bar, k / 2, 0.45, pitch, 0.9))
    low = frame.pick("sub bass", "electric bass", "synth bass")
    parts.append(Part(low, tuple(bass), float(rng.uniform(-4, 2))))
    four = {0.0: 0.9, 1.0: 0.7, 2.0: 0.9, 3.0: 0.7}
    drop = {2.0: 1.0} if frame.chance(0.6) else four
    parts.append(_beat_part(frame, "kick", drop, -4, 1))
    parts.append(_beat_part(frame, frame.one_of(("rim", "snare", "tom")), {2: 0.9}, -8, 1))
    time = {k / 2: 0.6 for k in range(8)}
    parts.append(_beat_part(frame, frame.one_of(("hat", "shaker", "tambourine")), time, -15, 1))
    if frame.chance(0.5):
        parts.append(_chords(frame, frame.pick("organ", "pad", "brass"), [(0, 2)], level=-11))
    if frame.chance(0.6):
        tune = melody(frame, near=72, grid=2, density=0.3, rest=0.5, legato=0.5)
        echoes = tuple(
            Note(n.start + k * 0.75 * frame.beat, n.duration, n.pitch, n.velocity * 0.55**k)
            for n in tune
            for k in range(4)
        )
        line = frame.pick("harmonica", "brass", "bell", "guitar", "flute", "electric piano")
        parts.append(Part(line, echoes, -10, 0.5))
    return [*parts, _fills(frame, 4)]


def _raga(frame: Frame) -> list[Part]:
    rng = frame.rng
    low = fold(frame.tonic, 50)
    cycle = [low - 5 if 7 in frame.scale else low - 7, low, low, low - 12]
    pulse = float(rng.uniform(0.45, 0.9))
    drone = [
        Note(k * pulse, 2.5 * pulse, cycle[k % 4], float(rng.uniform(0.6, 0.9)))
        for k in range(int(frame.seconds / pulse) + 1)
    ]
    strings = frame.pick("tanpura", "tanpura", "accordion", "organ", "strings")
    parts = [Part(strings, tuple(drone), float(rng.uniform(-8, -3)), -0.2)]
    beats = frame.beats_per_bar
    ge = {float(b): 0.8 for b in range(beats) if b == 0 or rng.random() < 0.35}
    na = {b / 2: 0.7 for b in range(2 * beats) if rng.random() < (0.75 if b % 2 == 0 else 0.3)}
    if frame.chance(0.85):
        heads = ("ge", "na") if frame.chance(0.7) else ("kick", "rim")
        parts.append(_beat_part(frame, heads[0], ge, -5, 1))
        parts.append(_beat_part(frame, heads[1], na, -8, 1))
    if frame.chance(0.25):
        parts.append(_beat_part(frame, "tambourine", {0: 0.6, beats // 2: 0.5}, -15, 1))
    line = frame.pick("sitar", "violin", "flute", "lute", "clarinet", "guitar")
    if frame.chance(0.6):
        tune = melody(frame, near=67, grid=4, density=0.35, phrase_bars=1, rest=0.2)
        parts.append(Part(line, tune, -4, 0.2))
    return parts


def _chorale(frame: Frame) -> list[Part]:
    rng = frame.rng
    choir = frame.pick("organ", "strings", "brass", "pad", "harpsichord", "clarinet", "accordion")
    voices: list[list[Note]] = [[], [], [], []]
    previous = [48.0, 57.0, 62.0, 69.0]
    per_bar = 2 if frame.chance(0.6) else 1
    length = frame.beats_per_bar / per_bar
    for bar in range(frame.n_bars):
        for half in range(per_bar):
            degree = frame.degree(bar * per_bar + half)
            notes = [degree_pitch(frame, degree + 2 * k) for k in range(3)]
            chord = [fold(notes[0], 46)]
            for voice in (1, 2, 3):
                target = previous[voice]
                chord.append(min((abs(p - target), p) for p in (fold(n, target) for n in notes))[1])
            for voice, pitch in enumerate(chord):
                passing = rng.random() < 0.3 and length >= 2
                sounding = length / 2 if passing else length
                voices[voice].append(frame.note(bar, half * length, sounding * 0.97, pitch, 0.7))
                if passing:
                    step = fold(degree_pitch(frame, degree + int(rng.choice([1, 3, 6]))), pitch)
                    voices[voice].append(
                        frame.note(bar, half * length + sounding, sounding * 0.95, step, 0.6)
                    )
            previous = [float(p) for p in chord]
    spread = (-0.5, 0.2, -0.2, 0.5)
    parts = [Part(choir, tuple(v), -5, pan) for v, pan in zip(voices, spread)]
    if frame.chance(0.55):
        line = frame.pick("harpsichord", "lute", "guitar", "piano", "bell")
        parts.append(_arpeggio(frame, line, int(rng.integers(2, 5)), level=-6))
    if frame.chance(0.5):
        walk = []
        for bar in range(frame.n_bars):
            for beat in range(frame.beats_per_bar):
                pitch = fold(degree_pitch(frame, frame.degree(bar) + beat * 2), 43)
                walk.append(frame.note(bar, beat, 0.9, pitch, 0.8))
        parts.append(Part(frame.pick("upright bass", "organ", "strings"), tuple(walk), -7))
    if frame.chance(0.2):
        parts.append(_beat_part(frame, "tom", {0: 0.8}, -10, 2))
    return parts


def _blues(frame: Frame) -> list[Part]:
    rng = frame.rng
    form = (0, 5, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7) if frame.chance(0.5) else (0, 0, 5, 0, 7, 5, 0, 7)
    bass, comp = [], []
    walking = frame.chance(0.7)
    riff = rng.choice([0, 4, 7, 9, 10], 4)
    pattern = [(float(b), 0.4) for b in range(4)] if frame.chance(0.5) else [(0.5, 0.3), (2.5, 0.3)]
    for bar in range(frame.n_bars):
        root = fold(frame.tonic + form[bar % len(form)], 40)
        for beat in range(4):
            step = int(riff[beat]) if walking and beat else 0
            bass.append(frame.note(bar, beat, 0.85, root + step, 0.8))
        for at, length in pattern:
            for third in (4, 7, 10):
                comp.append(frame.note(bar, at, length, fold(root + third, 60), 0.65))
    parts = [Part(frame.pick("upright bass", "electric bass", "sub bass"), tuple(bass), -4)]
    player = frame.pick("guitar", "piano", "organ", "muted guitar", "electric piano", "accordion")
    parts.append(Part(player, tuple(comp), -6, 0.4))
    if frame.chance(0.85):
        swing = {0: 0.8, 1: 0.7, 1.5: 0.5, 2: 0.8, 3: 0.7, 3.5: 0.5}
        ride = frame.one_of(("hat", "open hat", "brush", "shaker"))
        parts.append(_beat_part(frame, ride, swing, float(rng.uniform(-19, -12)), 1))
        back = frame.one_of(("snare", "clap", "rim", "brush"))
        parts.append(_beat_part(frame, back, {1: 0.8, 3: 0.8}, -7, 1))
        parts.append(_beat_part(frame, "kick", {0: 0.9, 2: 0.8}, -6, 1))
        parts.append(_fills(frame, 4))
    if frame.chance(0.7):
        tune = melody(frame, near=67, grid=2, density=0.5, rest=0.45)
        line = frame.pick("harmonica", "guitar", "brass", "piano", "clarinet", "organ")
        parts.append(Part(line, tune, -6, -0.4))
    return parts


STYLE_BOOK: dict[str, Style] = {
    "waltz": Style(
        (84, 168),
        (3,),
        (0.5, 0.5),
        (_MAJOR, _MAJOR, _MIXOLYDIAN),
        (_HARMONIC_MINOR, _MINOR),
        ((0, 0, 4, 0), (0, 3, 4, 0), (0, 4, 4, 0, 3, 0, 4, 0), (0, 5, 3, 4)),
        (1, 0.75, 4, 0.2),
        ("accordion", "violin", "flute", "clarinet", "guitar"),
        _waltz,
    ),
    "house": Style(
        (106, 134),
        (4,),
        (0.5, 0.54),
        (_MAJOR, _MIXOLYDIAN),
        (_MINOR, _DORIAN),
        ((0, 5, 2, 6), (0, 0, 3, 3), (0, 3, 5, 4), (0, 6, 5, 6)),
        (2, 0.4, 2, 0.35),
        ("saw", "square", "bell", "electric piano", "flute"),
        _house,
    ),
    "ballad": Style(
        (56, 100),
        (4,),
        (0.5, 0.56),
        (_MAJOR,),
        (_MINOR, _HARMONIC_MINOR),
        ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 2, 3, 4)),
        (2, 0.5, 2, 0.25),
        ("piano", "flute", "violin", "guitar", "strings", "clarinet"),
        _ballad,
    ),
    "reggae": Style(
        (64, 112),
        (4,),
        (0.5, 0.62),
        (_MAJOR, _MIXOLYDIAN),
        (_MINOR, _DORIAN),
        ((0, 3, 0, 3), (0, 0, 4, 3), (0, 1, 0, 1), (0, 6, 5, 6)),
        (2, 0.5, 2, 0.35),
        ("organ", "harmonica", "brass", "guitar", "flute"),
        _reggae,
    ),
    "raga": Style(
        (60, 140),
        (7, 8, 10, 16),
        (0.5, 0.5),
        (_YAMAN, _BHUPALI, _MIXOLYDIAN),
        (_BHAIRAV, _BHAIRAVI, _DORIAN),
        ((0,),),
        (2, 0.45, 1, 0.25),
        ("sitar", "violin", "flute", "lute"),
        _raga,
    ),
    "chorale": Style(
        (60, 116),
        (4, 3),
        (0.5, 0.5),
        (_MAJOR,),
        (_HARMONIC_MINOR, _MINOR),
        ((0, 3, 6, 2, 5, 1, 4, 0), (0, 4, 5, 2, 3, 0, 3, 4), (0, 5, 1, 4), (0, 3, 4, 0)),
        (1, 0.8, 2, 0.15),
        ("violin", "flute", "clarinet", "brass", "organ"),
        _chorale,
    ),
    "blues": Style(
        (76, 138),
        (4,),
        (0.6, 0.68),
        (_MIXOLYDIAN, _BLUES_MINOR),
        (_BLUES_MINOR, _DORIAN),
        ((0,),),
        (2, 0.5, 2, 0.4),
        ("harmonica", "guitar", "piano", "brass"),
        _blues,
    ),
}
