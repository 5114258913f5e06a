"""Runs the command."""

import sys

from counterfoil.devca.cli import main

sys.exit(main())
