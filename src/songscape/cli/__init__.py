"""The command line: each verb parses, calls one function, prints."""

from songscape.cli.command import main
from songscape.cli.outcome import DONE, FAILED, INTERRUPTED, SOME_FAILED, USAGE

__all__ = ["DONE", "FAILED", "INTERRUPTED", "SOME_FAILED", "USAGE", "main"]
