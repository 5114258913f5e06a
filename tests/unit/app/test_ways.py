"""A document of a batch goes the way it would go alone, whatever goes beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import pytest

from counterfoil.app.ports import Vault
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.app.submit import SubmitVouchers
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import DocumentKind, PartyKind
from counterfoil.domain.deeds import Arrive, Committed, Deed, Enter, Recorded
from counterfoil.domain.document import Document
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.register import Register
from counterfoil.domain.registration import Founding, LossNotice, Registration
from counterfoil.domain.registry import Caller, Party, Registry
from counterfoil.domain.standing import Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.wire.catalogue import CATALOGUE
from tests.doubles import SetClock

HOME, PEER, OTHER = "home", "peer", "other"
UNIT, THEIR_UNIT = "unit", "their-unit"
PARTIES = {
    code: Party(code=code, name="机构", kind=kind, carrier=carrier)
    for code, kind, carrier in (
        (HOME, PartyKind.FINANCE, HOME),
        (PEER, PartyKind.AGENT_BANK, PEER),
        (OTHER, PartyKind.AGENT_BANK, OTHER),
        (UNIT, PartyKind.BUDGET_UNIT, HOME),
        (THEIR_UNIT, PartyKind.BUDGET_UNIT, OTHER),
    )
}


def notice(issuer: str, recipient: str) -> Document:
    """Return an entry notice (2205): it goes from banks to units."""
    return Document(
        kind=DocumentKind.VOUCHER,
        sealed=b"sealed",
        digest=b"digest",
        version=b"version",
        key=VoucherKey(
            issuer=issuer,
            adm_div="420000",
            fiscal_year=2026,
            type_code=2205,
            number="1",
            issue=1,
        ),
        subject=b"digest",
        by=issuer,
        recipients=(recipient,),
    )


def variants(sound: Document, *recipients: str) -> list[Document]:
    """Return a document, and others that differ from it in one thing each."""
    key = sound.key
    payment = replace(sound, key=replace(key, type_code=8202))
    return [
        sound,
        replace(sound, by=OTHER),
        replace(sound, key=replace(key, issuer=UNIT)),
        payment,
        replace(payment, kind=DocumentKind.RECEIPT),
        *(replace(sound, recipients=(code,)) for code in recipients),
    ]


@dataclass
class Found:
    """Works that find these documents, and a vault that takes whatever comes."""

    documents: Sequence[Document]
    lanes: list[dict[str, str]] = field(default_factory=list)
    register: Register = field(default_factory=lambda: Register(home=HOME, carriers={}))
    time_us: int = 0

    async def submit(self, *_: object, **__: object) -> list[Document]:
        return list(self.documents)

    async def examine(self, *_: object, **__: object) -> list[Document]:
        return list(self.documents)

    async def keep_certificates(self, _: object) -> None:
        """Keep nothing."""

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        answers = []
        for deed in deeds:
            count = len(deed.documents) if isinstance(deed, Arrive) else 1
            if isinstance(deed, Enter):
                self.lanes.append(dict(deed.lanes))
            done = Recorded(leaf=0, standing=Standing.SENT, time_us=0, new=True)
            answers.append(Committed(outcomes=(done,) * count, size=0, time_us=0))
        return answers

    def parts(self, home: str) -> dict[str, Any]:
        return {
            "vault": cast("Vault", self),
            "works": cast("Works", self),
            "registry": Registry(home=home, parties=PARTIES),
            "catalogue": CATALOGUE,
            "clock": SetClock(0),
        }


def told(outcome: object) -> str:
    """Return what a refusal says, and who it says it of; empty if there is none."""
    if isinstance(outcome, CounterfoilError):
        return f"{outcome.reason} {outcome} {outcome.facts}"
    return ""


def submitted(batch: Sequence[Document]) -> tuple[list[str], list[dict[str, str]]]:
    found = Found(batch)
    caller = cast("Caller", SimpleNamespace(party=PEER))
    use = SubmitVouchers(**found.parts(PEER))
    outcomes = asyncio.run(use([b""] * len(batch), caller=caller))
    return [told(one) for _, one in outcomes], found.lanes


def received(batch: Sequence[Document]) -> list[str]:
    use = ReceiveDocuments(**Found(batch).parts(HOME))
    committed = asyncio.run(use([b""] * len(batch), (), carrier=PEER))
    return [told(one) for one in committed.outcomes]


def test_vouchers_are_sent_as_each_would_be_alone() -> None:
    documents = variants(notice(PEER, UNIT), OTHER, THEIR_UNIT)
    assert [submitted([one])[1] for one in documents] == [
        [{UNIT: HOME}],
        [{UNIT: HOME}],
        [],
        [],
        [],
        [],
        [{THEIR_UNIT: OTHER}],
    ]

    for pair in product(documents, repeat=2):
        alone = [submitted([one]) for one in pair]
        outcomes = [one for told_of, _ in alone for one in told_of]
        lanes = [one for _, its_lanes in alone for one in its_lanes]
        assert submitted(pair) == (outcomes, lanes)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("MATTER_FOREIGN")
def test_no_gateway_tells_who_its_first_persons_are() -> None:
    manager, supervisor = (
        Identity(party=PEER, use=Use.PERSON, name=name) for name in ("m", "s")
    )
    opening = Registration(
        by=PEER,
        number="1",
        told=(HOME,),
        explanation="",
        matter=Founding(supervisor=supervisor, system_manager=manager),
        signers=(manager, supervisor),
        digest=b"",
    )
    told_of = replace(
        notice(PEER, HOME), kind=DocumentKind.REGISTRATION, registration=opening
    )
    loss = replace(opening, matter=LossNotice(certificate=b"", holder=manager))

    outcomes = received([told_of, replace(told_of, registration=loss)])

    assert [one.split(" ")[0] for one in outcomes] == ["MATTER_FOREIGN", ""]


def test_documents_are_admitted_as_each_would_be_alone() -> None:
    documents = variants(notice(PEER, UNIT), OTHER)
    alone = [told_of for one in documents for told_of in received([one])]
    assert [told_of.split(" ")[0] for told_of in alone] == [
        "",
        "NOT_THE_ISSUER",
        "DIRECTION_REFUSED",
        "DIRECTION_REFUSED",
        "DIRECTION_REFUSED",  # a receipt that is copied to whom it must not
        "NOT_A_RECIPIENT",
    ]

    for pair in product(documents, repeat=2):
        assert received(pair) == [one for each in pair for one in received([each])]


def test_who_else_gets_a_copy_is_the_business_of_their_gateways() -> None:
    sound = notice(PEER, UNIT)
    receipt = replace(
        sound,
        kind=DocumentKind.RECEIPT,
        key=replace(sound.key, issuer=HOME),
        recipients=(HOME, "420000-999"),
    )

    assert received([receipt]) == [""]
