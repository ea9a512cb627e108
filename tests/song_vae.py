"""A `SongVAE` from flat options, as presets and settings files give them."""

from collections.abc import Sequence
from typing import Any

from songscape.models.presets import build_model
from songscape.models.vae import SongVAE

__all__ = ["song_vae"]


def song_vae(views: Sequence[str] | None = None, **options: Any) -> SongVAE:
    """``song_vae(("timbre",), latent_dim=4, epochs=2)``."""
    return build_model(SongVAE, {"views": views, **options})
