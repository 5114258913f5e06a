"""What the day shows of single vouchers: why files were refused, one voucher's way."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from counterfoil.day.cast import FINANCE, ICBC
from counterfoil.day.material import Material
from counterfoil.day.programs import DAEMON, DayFailed, run
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage
from counterfoil.finance.books import Books, Order, State

_INQUIRE_S: Final = 60.0


def show_refused(stage: Stage, material: Material, screen: Screen) -> None:
    """Show which files were refused and why: exactly the broken ones.

    Raises:
        DayFailed: Another file was refused, or a broken one was not.
    """
    books = Books(stage.books(FINANCE.code))
    refused = books.refused()
    books.close()
    for one in refused:
        screen.say(f"refused {one.file}: {one.explanation}")
    if {one.file for one in refused} != set(material.broken):
        msg = f"{len(material.broken)} files are broken, {len(refused)} were refused"
        raise DayFailed(msg)


def show_one_way(stage: Stage, screen: Screen) -> None:
    """Show one voucher's whole way with the evidence of both sides' gateways.

    Raises:
        DayFailed: A gateway could not tell.
    """
    books = Books(stage.books(FINANCE.code))
    with books.reading() as session:
        voucher = session.scalars(
            select(Order)
            .where(Order.state == State.PAID, Order.recipient == ICBC.code)
            .order_by(Order.number)
        ).first()
    books.close()
    if voucher is None:
        raise DayFailed(f"no order to {ICBC.code} was paid")
    for side in (FINANCE, ICBC):
        stem = stage.pki / side.code / "system-1"
        status, output, errors = run(
            [
                *(*DAEMON, "inquire", voucher.digest.hex()),
                *("--address", stage.addresses[side.code]),
                *("--certificate", f"{stem}.pem"),
                *("--key", f"file:{stem}.key"),
                *("--passphrase", f"file:{stem}.pass"),
                *("--authorities", str(stage.pki / "authorities.pem")),
            ],
            stage.directory,
            _INQUIRE_S,
        )
        if status != 0:
            raise DayFailed(f"inquire at {side.code} ended with {status}:\n{errors}")
        screen.say(f"the way of {voucher.number} as {side.code} proves it:")
        screen.say(output.rstrip())
