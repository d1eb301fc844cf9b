"""The command line in a process that may not have more memory: under_limits.py BYTES WORDS... ."""

import resource
import sys

from mdeas.cli import main

if __name__ == "__main__":
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    sys.exit(main(sys.argv[2:]))
