"""Errors for the person at the keyboard: one line that names the thing, the reason, the mend."""


class SongscapeError(Exception):
    """Something went wrong that the user can act on; the message is printed as it is (exit 1)."""


class UsageError(SongscapeError):
    """The command or a setting was given wrongly (exit 2)."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its kind if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
