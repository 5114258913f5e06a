"""`python -m counterfoil.daemon`: the same as `counterfoil`."""

from __future__ import annotations

import sys

from counterfoil.daemon.cli import main

if __name__ == "__main__":
    sys.exit(main())
