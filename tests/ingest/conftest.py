"""A collection that a test makes file by file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of the collection `tmp_path / "c"`."""

    def write(name: str, content: str | bytes = b"\0") -> Path:
        path = tmp_path / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    (tmp_path / "c").mkdir()
    return write
