"""Extraction speed as ratios in one run: librosa, ours, decoding alone; two workers against one.

    python benchmarks/extract.py [--mp3 FILE] [--rounds 15]

All ways take their turn in every round, so that a busy machine slows all of them alike. CPU
times are of this process with one BLAS thread; the figures are medians over rounds, with the
best round beside them. The workers are timed by the clock, over the same tracks.
"""

# ruff: noqa: E402 (thread limits are read when numpy is loaded)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.fft
import soundfile
import soxr

from songscape.features import spectra
from songscape.features.analyse import CORE, RECIPES, analyse_file
from songscape.features.decode import SAMPLE_RATE, Decoder
from songscape.workers import IsolatingExecutor

SECONDS = 30


def make_mp3(path: Path, kbps: int) -> None:
    """Thirty seconds of 44.1 kHz stereo: decaying notes, a beat of noise, a quiet floor."""
    sr = 44_100
    rng = np.random.default_rng(0)
    y = 0.004 * rng.standard_normal((SECONDS * sr, 2))
    time_s = np.arange(sr) / sr
    for start in range(0, len(y), sr // 4):
        pitch = 2 * np.pi * 110.0 * 2 ** (rng.integers(0, 36) / 12)
        note = np.exp(-4 * time_s) * sum(np.sin(pitch * k * time_s) / k for k in range(1, 8))
        drum = np.exp(-40 * time_s) * rng.standard_normal(sr)
        pan = rng.uniform(0.05, 0.2, 2)
        y[start : start + sr] += ((note[:, None] * pan) + 0.1 * drum[:, None])[: len(y) - start]
    # libsndfile spreads 320 to 32 kbit/s over the levels 0 to 1.
    with soundfile.SoundFile(
        path, "w", sr, 2, bitrate_mode="CONSTANT", compression_level=(320 - kbps) / 288
    ) as file:
        file.write(y.astype(np.float32))


def ours(path: Path) -> np.ndarray:
    stream = spectra.MelStream(SAMPLE_RATE)
    parts = [stream.push(block) for block in Decoder(path).blocks()]
    return spectra.mfcc_from_db(spectra.power_to_db(np.concatenate([*parts, stream.finish()])))


def usual(path: Path) -> np.ndarray:
    import librosa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, sr = librosa.load(path, sr=SAMPLE_RATE)
    return librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40)


def decode_only(path: Path) -> object:
    return soundfile.read(path, dtype="float32")


def libraries_only(path: Path) -> None:
    """What any way has to call: the decoder, soxr on one channel, an FFT of every frame."""
    samples, sr = soundfile.read(path, dtype="float32")
    mono = soxr.resample(np.ascontiguousarray(samples[:, 0]), sr, SAMPLE_RATE)
    frames = np.lib.stride_tricks.sliding_window_view(mono, spectra.N_FFT)[:: spectra.HOP_LENGTH]
    for start in range(0, len(frames), 128):
        scipy.fft.rfft(frames[start : start + 128], axis=1)


def load_only(path: Path) -> object:
    return [len(block) for block in Decoder(path).blocks()]


def interleaved(
    ways: dict[str, Callable[[Path], object]], path: Path, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """CPU and wall seconds of every way, round by round."""
    for way in ways.values():
        way(path)  # imports and first-call compilation are not extraction
    taken: dict[str, dict[str, list[float]]] = {name: {"cpu": [], "wall": []} for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            way(path)
            taken[name]["cpu"].append(time.process_time() - cpu)
            taken[name]["wall"].append(time.perf_counter() - wall)
    return taken


def pool_seconds(pool: IsolatingExecutor, path: Path, n_tracks: int) -> float:
    started = time.perf_counter()
    futures = [pool.submit(analyse_file, str(path)) for _ in range(n_tracks)]
    for future in futures:
        assert future.result().failure is None
    return time.perf_counter() - started


def workers(path: Path, rounds: int, n_tracks: int) -> dict[int, list[float]]:
    """Seconds for `n_tracks` tracks with one and with two workers, in turn."""
    pools = {count: IsolatingExecutor(count) for count in (1, 2)}
    taken: dict[int, list[float]] = {count: [] for count in pools}
    for pool in pools.values():
        pool_seconds(pool, path, 4)
    for _ in range(rounds):
        for count, pool in pools.items():
            taken[count].append(pool_seconds(pool, path, n_tracks))
    for pool in pools.values():
        pool.shutdown()
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mp3", type=Path, help="file to use (default: one is made)")
    parser.add_argument("--kbps", type=int, default=256, help="bit rate of the made file")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tracks", type=int, default=40, help="tracks per round for the workers")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.mp3 or Path(folder) / "made.mp3"
        if arguments.mp3 is None:
            make_mp3(path, arguments.kbps)
        info = soundfile.info(path)
        difference = float(np.abs(ours(path) - usual(path)).max())
        ways = {
            "librosa.load + librosa.feature.mfcc": usual,
            "ours, 40 MFCC": ours,
            "ours, MFCC features": lambda p: analyse_file(str(p), CORE),
            "ours, all features": lambda p: analyse_file(str(p)),
            "ours, all features and harmony": lambda p: analyse_file(str(p), RECIPES),
            "ours, decode + mix + resample": load_only,
            "decoder, soxr and FFT alone": libraries_only,
            "soundfile.read alone": decode_only,
        }
        taken = interleaved(ways, path, arguments.rounds)
        pooled = workers(path, max(3, arguments.rounds // 5), arguments.tracks)
        size = path.stat().st_size

    cpu = {name: statistics.median(t["cpu"]) for name, t in taken.items()}
    best = {name: min(t["cpu"]) for name, t in taken.items()}
    wall = {name: statistics.median(t["wall"]) for name, t in taken.items()}
    usual_name, ours_name, *_, libraries_name, decode_name = taken

    def paired(numerator: str, denominator: str) -> float:
        pairs = zip(taken[numerator]["cpu"], taken[denominator]["cpu"])
        return statistics.median(a / b for a, b in pairs)

    ratios = {
        "librosa / ours (goal: at least 1.8)": paired(usual_name, ours_name),
        "decoding / ours (goal: at least 0.75)": paired(decode_name, ours_name),
        "decoding / decoder, soxr and FFT alone (no way is nearer to 1)": paired(
            decode_name, libraries_name
        ),
        "two workers / one (goal: at least 1.8)": statistics.median(
            one / two for one, two in zip(pooled[1], pooled[2])
        ),
    }
    if arguments.json:
        json.dump({"cpu_s": cpu, "wall_s": wall, "best_cpu_s": best, "ratios": ratios}, sys.stdout)
        print()
        return 0
    print(
        f"{info.duration:.1f} s, {info.samplerate} Hz, {info.channels} channels, "
        f"{size * 8 / 1000 / info.duration:.0f} kbit/s; largest MFCC difference {difference:.1e} dB"
    )
    print(f"{'':38}  CPU ms   best  wall ms")
    for name in taken:
        print(f"{name:38}  {1e3 * cpu[name]:6.1f} {1e3 * best[name]:6.1f}  {1e3 * wall[name]:7.1f}")
    for count, seconds in pooled.items():
        rate = arguments.tracks / statistics.median(seconds)
        print(f"{count} worker{'s' if count > 1 else ''}: {rate:.1f} tracks per second")
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
