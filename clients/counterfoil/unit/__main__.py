"""`python -m counterfoil.unit`: the same as `counterfoil-unit`."""

from __future__ import annotations

import sys

from counterfoil.unit.cli import main

sys.exit(main())
