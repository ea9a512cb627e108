"""Encoders: what pretrained models make of sound and words, as views."""
