"""`python -m dokja`: the command line, also where its script is not on the path."""

import sys

from dokja.cli import main

sys.exit(main())
