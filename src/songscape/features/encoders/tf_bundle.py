"""TensorFlow checkpoints -> arrays, without TensorFlow: an index of names and a file of numbers.

The index is a sorted table of LevelDB (blocks of entries, whose keys share prefixes; at the end an
index of the blocks and a footer), and its values are `BundleEntryProto` messages of protocol
buffers: see `table_format.md` of LevelDB and `tensor_bundle.proto` of TensorFlow. Nothing in it is
code, and nothing is unpickled.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError

_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER = 48
_FLOAT = 1  # of TensorFlow's types of numbers
_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE = 1, 2, 3, 4, 5  # fields of an entry


def read_tensors(index: Path, data: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a checkpoint with one file of numbers, by name."""
    try:
        table, numbers = index.read_bytes(), data.read_bytes()
    except OSError as error:
        raise SongscapeError(f"{error.filename}: cannot be read ({error.strerror})") from None
    if table[-len(_MAGIC) :] != _MAGIC:
        raise SongscapeError(f"{index}: not the index of a TensorFlow checkpoint")
    try:
        return dict(_tensors(table, numbers))
    except (LookupError, OverflowError, TypeError, ValueError, struct.error):
        raise SongscapeError(f"{index}: damaged, or not of the numbers in {data.name}") from None


def _tensors(table: bytes, numbers: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    # Offsets and sizes: of a block of meta data, which is empty, and of the index of blocks.
    *_, offset, size = _varints(BytesIO(table[-_FOOTER:]), 4)
    for _, where in _entries(table, offset, size):
        for name, entry in _entries(table, *_varints(BytesIO(where), 2)):
            if not name:  # about the whole bundle
                continue
            fields = dict(_fields(entry))
            if fields.get(_DTYPE) != _FLOAT:
                continue
            if fields.get(_SHARD, 0):
                raise ValueError("more than one file of numbers")
            sizes = [size for field, size in _fields(fields.get(_SHAPE, b"")) if field == 2]
            shape = [dict(_fields(size)).get(1, 0) for size in sizes]
            start, length = fields.get(_OFFSET, 0), fields[_SIZE]
            values = np.frombuffer(numbers[start : start + length], "<f4")
            yield name.decode(), values.reshape(shape).astype(np.float32)


def _entries(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block; its end is a list of restarts, which reading on needs not."""
    block = table[offset : offset + size]
    if len(block) < size or table[offset + size]:
        raise ValueError("cut off, or compressed")
    (n_restarts,) = struct.unpack("<I", block[-4:])
    entries, key = BytesIO(block[: size - 4 - 4 * n_restarts]), b""
    while entries.tell() < len(entries.getbuffer()):
        shared, own, length = _varints(entries, 3)
        key = key[:shared] + entries.read(own)
        yield key, entries.read(length)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers of the fields of a message, and their values: integers, or bytes as they are."""
    stream = BytesIO(message)
    while stream.tell() < len(message):
        field, kind = divmod(_varint(stream), 8)
        if kind == 0:
            yield field, _varint(stream)
        else:
            yield field, stream.read(_varint(stream) if kind == 2 else {1: 8, 5: 4}[kind])


def _varints(stream: BytesIO, count: int) -> list[int]:
    return [_varint(stream) for _ in range(count)]


def _varint(stream: BytesIO) -> int:
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value
