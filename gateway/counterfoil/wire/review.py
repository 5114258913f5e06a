"""A personal seal is judged before it goes on top of a draft."""

from __future__ import annotations

from counterfoil.domain.catalogue import DocumentKind, SealPlan
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import SealForged
from counterfoil.domain.seals import check_plan, next_position
from counterfoil.seal.verify import (
    Court,
    make_sealed_document,
    verify_seals,
)
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.seals import seal_from_bytes


def judge_review(
    draft: DraftSeals, seal: bytes, signer: Identity, court: Court
) -> ReviewSeal:
    """Check a personal seal in the place where it is to stand.

    1. A position is due, and the seal is for it.
    2. The seals on the draft, this one on top, hold.
    3. It is the seal of the person who calls, of this party, in this position; by
       whichever of that person's certificates.
    4. No two personal seals are by one person.

    Args:
        draft: What stands on the draft.
        seal: The encoded seal that is to go on top.
        signer: Who calls.
        court: What to judge with.

    Returns:
        By which certificate the person sealed, and where.

    Raises:
        CounterfoilError: A check failed.
    """
    seals = (*(seal_from_bytes(one) for one in draft.seals), seal_from_bytes(seal))
    # (1) Raises if the plan is full.
    plan = CATALOGUE.row(draft.type_code).plan
    next_position(plan, len(draft.seals))
    # (2) Also those beneath: they were judged when they came, at another time.
    verified = verify_seals(
        make_sealed_document(
            kind=DocumentKind.VOUCHER, payload_digest=draft.digest, seals=seals
        ),
        court,
    )
    # (3) A person can only ever bring a seal of their own.
    sealing = verified.sealings[-1]
    if sealing.signer != signer:
        raise SealForged("the seal is another person's than the caller", check="caller")
    # (1), (3) and (4) as far as the plan is filled now.
    check_plan(
        SealPlan(plan.positions[: len(seals)]),
        verified.statements,
        verified.sealings,
        issuer=draft.party,
    )
    return ReviewSeal(sealing.certificate_digest, sealing.position)
