"""`counterfoil status`: what the watches of a gateway found, running or not."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from counterfoil.daemon.alerts import FILE, read_watch_file, told_of
from counterfoil.daemon.config import load_configuration
from counterfoil.daemon.desk_channel import tell


def show_status(arguments: argparse.Namespace) -> int:
    """Print what each watch notes, and every open alert; 1 if there is one.

    Raises:
        ConfigurationRefused: The configuration cannot be used.
    """
    configuration = load_configuration(Path(arguments.config))
    alerts, watches = read_watch_file(configuration.directory / FILE)
    if arguments.json:
        state = {"watches": watches, "alerts": list(alerts.values())}
        sys.stdout.write(json.dumps(state, ensure_ascii=False) + "\n")
        return 1 if alerts else 0
    for name, noted in sorted(watches.items()):
        facts = noted.items() if isinstance(noted, dict) else [("state", noted)]
        tell("watch", name, *(f"{fact}={value}" for fact, value in facts if value))
    for alert in alerts.values():
        tell("alert", alert["code"], told_of(alert))
    if not watches:
        sys.stderr.write("counterfoil: no watch has looked yet\n")
    return 1 if alerts else 0
