"""Folder -> results: the stages in order, each of which goes on where it was."""
