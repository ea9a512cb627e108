"""How fast a library is scanned: tags and lyrics of every file, then again with nothing changed.

    python benchmarks/scan.py --tracks 20000

A folder of tagged MP3 files is made (one in three with words in the tag, one with an LRC file; a
picture of 20 kB in each), read once so that the system has it in memory, and then:
`first` reads everything in worker processes as `songscape run` does; `tinytag` is the library that
reads the tags, alone in one process on the same files, as a measure of what the machine can do;
`again` is the scan of the unchanged folder with what the library file knows of it. Memory is the
peak of this process.
"""

from __future__ import annotations

import argparse
import resource
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tinytag import TinyTag

from songscape.ingest import read_collection
from songscape.library import Collection, Library

WORDS = "I walk along the river when the lights go down\nand I will sing for you tonight\n"
FRAMES = b"\xff\xfb\x90\x64" + bytes(413)


def make(folder: Path, n_tracks: int) -> None:
    """Tagged files of 30 kB in albums of twelve."""
    for number in range(n_tracks):
        album = folder / f"Artist {number // 120}" / f"Album {number // 12}"
        album.mkdir(parents=True, exist_ok=True)
        path = album / f"{number % 12 + 1:02d} Song {number}.mp3"
        frames = {
            b"TIT2": f"\3Song {number}",
            b"TPE1": f"\3Artist {number // 120}",
            b"TALB": f"\3Album {number // 12}",
            b"TCON": f"\3{('Folk', 'Rock', 'Jazz')[number % 3]}",
            b"TDRC": f"\3{1960 + number % 60}",
            b"TRCK": f"\3{number % 12 + 1}",
        }
        if number % 3 == 0:
            frames[b"USLT"] = f"\3eng\0{WORDS * 8}{number}"
        if number % 3 == 1:
            lines = [f"[00:{i:02d}.00]{line}\n" for i, line in enumerate((WORDS * 8).split("\n"))]
            path.with_suffix(".lrc").write_text("".join(lines))
        data = b"".join(frame(name, text.encode()) for name, text in frames.items())
        data += frame(b"APIC", b"\3image/png\0\3\0" + bytes(20_000))
        path.write_bytes(b"ID3\4\0\0" + synchsafe(len(data)) + data + FRAMES * 20)


def frame(name: bytes, content: bytes) -> bytes:
    return name + synchsafe(len(content)) + b"\0\0" + content


def synchsafe(size: int) -> bytes:
    return struct.pack("4B", *(size >> shift & 127 for shift in (21, 14, 7, 0)))


def timed(what: Callable[[], Collection | None]) -> tuple[float, Collection | None]:
    start = time.perf_counter()
    result = what()
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20_000)
    n_tracks = parser.parse_args().tracks
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "music"
        make(folder, n_tracks)
        paths = sorted(folder.rglob("*.mp3"))
        for path in folder.rglob("*.*"):
            path.read_bytes()
        alone, _ = timed(lambda: [TinyTag.get(path, duration=False) for path in paths] and None)
        first, collection = timed(lambda: read_collection(folder))
        assert collection is not None
        assert len(collection.tracks) == n_tracks
        with Library.open(Path(temporary) / "songscape.db") as library:
            stored, _ = timed(lambda: library.update(collection))

        def rescan() -> Collection:
            with Library.open(Path(temporary) / "songscape.db") as library:
                found = read_collection(folder, known=library.read_before())
                library.update(found)
            return found

        again, same = timed(rescan)
        assert same == collection
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, seconds in (("tinytag alone", alone), ("first", first), ("again", again)):
        print(f"{name:14} {seconds:7.2f} s {n_tracks / seconds:8,.0f} files/s")
    print(f"{'store':14} {stored:7.2f} s")
    print(f"first / tinytag alone {alone / first:.2f}; again / first {first / again:.1f}")
    print(f"peak memory {peak:,.0f} MB")


if __name__ == "__main__":
    main()
