"""`python -m mdeas` is the command `mdeas`."""

import os
import sys

from mdeas.cli import main

code = main()
if code and "TORCHELASTIC_RUN_ID" in os.environ:
    # A rank of torchrun that failed. Threads of torch that wait for the other ranks can abort a normal exit,
    # which would lose the exit code.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
sys.exit(code)
