"""`python -m mdeas` is the command `mdeas`."""

import os
import sys

from mdeas.cli import main

code = main()
if code and "TORCHELASTIC_RUN_ID" in os.environ:
    # A rank that ended early: torch's threads that still wait for the others now and then abort an ordinary
    # exit, and the exit code is lost.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
sys.exit(code)
