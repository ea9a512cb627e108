"""The stages in order, what is cached, and trials on any executor."""
