"""Composes a small multilingual collection with known styles, languages and themes."""

from songscape.demo.compose import compose_collection
from songscape.demo.plan import SongPlan, plan_collection

__all__ = ["SongPlan", "compose_collection", "plan_collection"]
