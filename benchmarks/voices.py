"""In how many audio files the encoder `musicnn` hears a voice, and a woman's rather than a man's.

    PYTHONPATH=build/encoders python benchmarks/voices.py FOLDER ... [--every 1]

`make encoders` brings the package. What is sung in a FOLDER has to be known: songs in one, music
without voices in another. A voice is heard as groups are described by it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from shared_inputs import markdown

from songscape.features.encoders.musicnn import heard_voices
from songscape.features.encoders.registry import load_network
from songscape.features.encoders.sound import encode_file
from songscape.ingest.file_kinds import FileKind, kind_of

WOMAN, MAN = [15, 26, 40, 48], [18, 27, 33, 39]
"""Tags: female, woman, female vocal, female voice; male, male vocal, man, male voice."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="of so many files one")
    options = parser.parse_args()
    rows = []
    for folder in options.folders:
        files = [f for f in sorted(folder.rglob("*")) if kind_of(f.name) is FileKind.AUDIO]
        found = [encode_file(str(f), ["musicnn"]).features for f in files[:: options.every]]
        vectors = [one["musicnn"].astype(np.float32) for one in found if one]
        heard = [bool(heard_voices(v[None], np.ones((1, len(v)), bool))[0]) for v in vectors]
        tags = np.array([load_network("musicnn").tags(v).mean(axis=0) for v in vectors])
        woman = tags[:, WOMAN].max(axis=1) > tags[:, MAN].max(axis=1)
        rows.append(
            {"folder": folder.name, "files": len(vectors), "with a voice": f"{np.mean(heard):.2f}"}
            | {"woman's rather than man's": f"{woman.mean():.2f}"}
        )
    print(markdown(rows))


if __name__ == "__main__":
    main()
