"""`python -m counterfoil.bank`: the same as `counterfoil-bank`."""

from __future__ import annotations

import sys

from counterfoil.bank.cli import main

sys.exit(main())
