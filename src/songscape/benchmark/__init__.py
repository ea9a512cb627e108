"""Embeddings measured beside baselines: significance, verdicts, the recommendation."""
