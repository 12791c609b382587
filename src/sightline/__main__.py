"""`python -m sightline`: the command, where its script is not on the path."""

import sys

from sightline.cli import main

if __name__ == "__main__":
    sys.exit(main())
