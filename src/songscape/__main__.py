"""`python -m songscape` is the command `songscape`."""

import sys

from songscape.cli import main

sys.exit(main())
