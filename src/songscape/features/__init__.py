"""Tracks -> views: numbers that describe audio and lyrics."""

TEXT_VIEWS = ("lyrics", "lyrics-tfidf", "lyrics-counts")
"""Views of the words, made from the lyrics when they are asked for."""
