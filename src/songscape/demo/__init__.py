"""Composes a small multilingual collection whose ground truth is known."""

from songscape.demo.compose import compose_collection
from songscape.demo.plan import SongPlan, plan_collection

__all__ = ["SongPlan", "compose_collection", "plan_collection"]
