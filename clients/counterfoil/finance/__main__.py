"""`python -m counterfoil.finance`: the same as `counterfoil-finance`."""

from __future__ import annotations

import sys

from counterfoil.finance.cli import main

sys.exit(main())
