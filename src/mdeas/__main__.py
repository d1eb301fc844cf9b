"""`python -m mdeas` is the command `mdeas`."""

import sys

from mdeas.cli import main

sys.exit(main())
