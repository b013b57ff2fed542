"""`python -m pdrt`: the same as the `pdrt` command."""

import sys

from pdrt.cli import main

sys.exit(main())
