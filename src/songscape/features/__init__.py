"""Tracks -> views: numbers that describe audio and lyrics."""
