"""`python -m counterfoil.conformance`: the same as `counterfoil-conformance`."""

from __future__ import annotations

import sys

from counterfoil.conformance.cli import main

sys.exit(main())
