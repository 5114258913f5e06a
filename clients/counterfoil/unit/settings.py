"""Who we are, as the tables of a configuration say; see `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.business.banks import banks_of
from counterfoil.business.codes import PaymentWay
from counterfoil.unit.kinds import Account, Office


def office_of(party: str, tables: Mapping[str, Any]) -> Office:
    """Return who we are, as the tables of a configuration say.

    Raises:
        ValueError: A key is missing or not known, or the bank is not among the banks.
    """
    try:
        own, banks = tables["unit"], banks_of(tables)
        if own["bank"] not in banks:
            msg = f"the bank {own['bank']!r} is not among the tables [[bank]]"
            raise ValueError(msg)
        return Office(
            party=party,
            finance=own["finance"],
            adm_div=own["adm_div"],
            code=own["code"],
            name=own["name"],
            top=own["top"],
            bank=banks[own["bank"]],
            accounts={
                PaymentWay.DIRECT: Account(**own["direct_account"]),
                PaymentWay.AUTHORISED: Account(**own["account"]),
            },
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ValueError(msg) from error
    except TypeError as error:
        msg = f"an account of [unit] is wrong: {error}"
        raise ValueError(msg) from error
