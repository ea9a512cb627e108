"""Latents -> clusters."""
