"""Views -> latents: variational autoencoders and baselines."""
