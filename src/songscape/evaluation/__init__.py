"""Latents, clusters and labels -> evidence."""
