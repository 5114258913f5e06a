"""`python -m counterfoil.treasury`: the same as `counterfoil-treasury`."""

from __future__ import annotations

import sys

from counterfoil.treasury.cli import main

sys.exit(main())
