"""Checks of what a register's own party alone registers: no peer says it (本方事项).

Who takes part, and by which keys a peer is believed, a party's own persons decide. Each
matter here is signed by persons of the peer, rightly, and about the peer wherever
that is possible: the one fault is that it comes from outside.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from counterfoil.conformance.bench import Bench
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.registrar import TABLE, Registrar
from counterfoil.conformance.scopes import holder_of
from counterfoil.office import matters
from counterfoil.tlog.keys import SignatureType, VerifierKey

_FOREIGN: Final = "MATTER_FOREIGN"
_DIGITS: Final = 20
"""Of a fresh number, in the code of a party that nobody knows."""


async def _require_foreign(bench: Bench, *registered: matters.Matter) -> None:
    """Require that each matter is refused, because the peer registers it."""
    registrar = Registrar.of(bench)
    for matter in registered:
        await registrar.refused(matter, _FOREIGN, *registrar.both)


@check(
    1301,
    "No peer says who takes part: neither that somebody does nor that it leaves.",
    "谁参加、谁退出，不由对方登记。",
    clause="hubei-6",
    contract="registry.v1.PartyAdmission",
    needs=TABLE,
)
async def _admits_itself(bench: Bench) -> None:
    peer, number = bench.target.peer, bench.papers.number()
    code = f"{bench.target.voucher.adm_div}-{number[-_DIGITS:]}"
    await _require_foreign(
        bench,
        matters.party_admission(code, "新机构", "budget-unit", carrier=peer),
        matters.party_dismissal(peer),
    )


@check(
    1302,
    "No peer says by which address and keys it is believed, nor that it leaves.",
    "以何地址、何密钥采信对方，以及断开连接，不由对方登记。",
    clause="hubei-9",
    contract="registry.v1.PeerConnection",
    needs=TABLE,
)
async def _connects_by_itself(bench: Bench) -> None:
    peer = bench.target.peer
    new = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = VerifierKey(
        name=f"{peer}/log", signature_type=SignatureType.ED25519, public_key=new
    )
    await _require_foreign(
        bench,
        matters.peer_connection(peer, ["127.0.0.1:9"], [key.to_text()]),
        matters.peer_disconnection(peer),
    )


@check(
    1303,
    "No peer gives anybody a post here, or takes it.",
    "本方的任岗和离岗，不由对方登记。",
    clause="hubei-24",
    contract="registry.v1.PostAssignment",
    needs=TABLE,
)
async def _gives_posts_itself(bench: Bench) -> None:
    officer = holder_of(Registrar.of(bench).by.officer)
    await _require_foreign(
        bench,
        matters.post_assignment(officer, "supervisor"),
        matters.post_withdrawal(officer, "supervisor"),
    )


CHECKS: Final[tuple[Check, ...]] = (
    _admits_itself,
    _connects_by_itself,
    _gives_posts_itself,
)
