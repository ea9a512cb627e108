"""What a worker runs in a test in the place of the function that reads lyric files."""

import os
import signal
import time

from songscape.library import Lyrics


def read_batch(files: list[tuple[str, str, str]]) -> list[Lyrics]:
    """A file named "hang" stops the worker, one named "crash" ends it."""
    for _, _, shown in files:
        if shown == "hang":
            time.sleep(60)
        if shown == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
    return [Lyrics(shown) for _, _, shown in files]
