"""Where a voucher stands with one recipient, and which act leads where.

Each side keeps its own view: the issuer's vault learns by documents and proofs
what the recipient's vault decides. An act that was taken before leads nowhere
new, so everything may come twice; what comes late never leads back.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import ActingBegun, NotInState


class Standing(IntEnum):
    """Where a voucher stands; numbers as in `desk.v1.Standing`."""

    DRAFT = 1
    SEALED = 2
    SENT = 3
    REFUSED = 4
    ARRIVED = 5
    ACCEPTED = 6
    REJECTED = 7
    ACTING = 8
    ACTED = 9
    UNKNOWN = 10
    RECEIPTED = 11
    CLOSED = 12
    DISPUTED = 13
    RETURNED = 14
    DISCARDED = 15


class Role(IntEnum):
    """Which side of the voucher a vault keeps."""

    ISSUER = 1
    RECIPIENT = 2
    COPY = 3
    """Neither: a receipt came with the original inside (抄送); it never moves."""


class Act(IntEnum):
    """What a leaf of the log records; numbers are published and never reused."""

    ENTER = 1
    """A document of our own was sealed and entered the vault (入库)."""
    SEND = 2
    """A voucher was put into the lanes of its recipients (发送)."""
    ARRIVE = 3
    """A peer's document is on our disk (接收)."""
    DELIVER = 4
    """A peer proved that our document is on its disk."""
    REFUSE = 5
    """A peer's gateway refused our document (接收失败)."""
    BEGIN = 6
    """Our business system is about to act (开始办理)."""
    END_DONE = 7
    """It acted."""
    END_NOT_DONE = 8
    """It did not and will not act."""
    END_UNKNOWN = 9
    """It cannot tell whether it acted."""
    CLOSE = 10
    """The receipt agrees with the voucher (核销)."""
    DISPUTE = 11
    """The receipt does not agree with the voucher (回单不符)."""
    WITHDRAW = 12
    """A seal was withdrawn before sending; the voucher is a draft again (撤销签章)."""
    REGISTER = 13
    """A registration of our own entered the vault and changed the register (登记)."""
    BIND = 14
    """The end of the record of refused calls was bound into the log (固化拒绝记录).

    It brings no document and is about no voucher: `document` and `version` are the
    digest of the record's end, `subject` is that of the end bound before, and the kind
    is that of registrations, whose leaves are about no voucher either."""
    WITNESS = 15
    """A head of a peer's log was seen, so that what it holds existed by then (见证).

    It brings no document and is about no voucher: `subject` and `document` are the
    head's root, `version` is the SHA-256 of the peer's signed checkpoint, `by` is the
    peer, and the kind is that of registrations, as of `BIND`."""
    ENTER_AND_SEND = 16
    """A voucher of our own entered the vault and went into the lanes of its recipients
    in one act (签章发送)."""


_K = DocumentKind
_S = Standing

_Rule = tuple[frozenset[Standing], Standing]
"""The standings an act may be taken from, and the one that it leads to."""

_RULES: Final[dict[tuple[Role, Act, DocumentKind], _Rule]] = {
    (Role.ISSUER, Act.SEND, _K.VOUCHER): (frozenset({_S.SEALED}), _S.SENT),
    (Role.ISSUER, Act.DELIVER, _K.VOUCHER): (
        frozenset({_S.SENT, _S.REFUSED}),
        _S.ARRIVED,
    ),
    (Role.ISSUER, Act.REFUSE, _K.VOUCHER): (frozenset({_S.SENT}), _S.REFUSED),
    (Role.ISSUER, Act.ARRIVE, _K.ACCEPTANCE): (
        frozenset({_S.SENT, _S.ARRIVED}),
        _S.ACCEPTED,
    ),
    (Role.ISSUER, Act.ARRIVE, _K.REJECTION): (
        frozenset({_S.SENT, _S.ARRIVED}),
        _S.REJECTED,
    ),
    (Role.ISSUER, Act.ARRIVE, _K.RETURN): (
        frozenset({_S.SENT, _S.ARRIVED, _S.ACCEPTED}),
        _S.RETURNED,
    ),
    (Role.ISSUER, Act.ARRIVE, _K.RECEIPT): (
        frozenset({_S.SENT, _S.ARRIVED, _S.ACCEPTED}),
        _S.RECEIPTED,
    ),
    (Role.ISSUER, Act.CLOSE, _K.RECEIPT): (frozenset({_S.RECEIPTED}), _S.CLOSED),
    (Role.ISSUER, Act.DISPUTE, _K.RECEIPT): (frozenset({_S.RECEIPTED}), _S.DISPUTED),
    (Role.ISSUER, Act.ENTER, _K.DISCARD): (
        frozenset({_S.SEALED, _S.REFUSED, _S.REJECTED, _S.RETURNED}),
        _S.DISCARDED,
    ),
    (Role.RECIPIENT, Act.ENTER, _K.ACCEPTANCE): (frozenset({_S.ARRIVED}), _S.ACCEPTED),
    (Role.RECIPIENT, Act.ENTER, _K.REJECTION): (frozenset({_S.ARRIVED}), _S.REJECTED),
    (Role.RECIPIENT, Act.ENTER, _K.RETURN): (
        frozenset({_S.ARRIVED, _S.ACCEPTED}),
        _S.RETURNED,
    ),
    (Role.RECIPIENT, Act.BEGIN, _K.VOUCHER): (frozenset({_S.ACCEPTED}), _S.ACTING),
    (Role.RECIPIENT, Act.END_DONE, _K.VOUCHER): (
        frozenset({_S.ACTING, _S.UNKNOWN}),
        _S.ACTED,
    ),
    (Role.RECIPIENT, Act.END_NOT_DONE, _K.VOUCHER): (
        frozenset({_S.ACTING, _S.UNKNOWN}),
        _S.ACCEPTED,
    ),
    (Role.RECIPIENT, Act.END_UNKNOWN, _K.VOUCHER): (
        frozenset({_S.ACTING}),
        _S.UNKNOWN,
    ),
    (Role.RECIPIENT, Act.ENTER, _K.RECEIPT): (frozenset({_S.ACTED}), _S.RECEIPTED),
    (Role.RECIPIENT, Act.ARRIVE, _K.DISCARD): (
        frozenset({_S.REJECTED, _S.RETURNED}),
        _S.DISCARDED,
    ),
}

_TELLS_ONLY: Final = frozenset(
    {
        (Role.ISSUER, Act.ENTER, _K.RETURN_REQUEST),
        (Role.RECIPIENT, Act.ARRIVE, _K.RETURN_REQUEST),
    }
)
"""Acts that are recorded and read, and change no standing."""

_BEHIND: Final[dict[Standing, frozenset[Standing]]] = {
    # Later standings at which an earlier report is old news and changes nothing.
    _S.SENT: frozenset(_S) - {_S.DRAFT, _S.SEALED},
    _S.ARRIVED: frozenset(_S) - {_S.DRAFT, _S.SEALED, _S.SENT, _S.REFUSED},
    _S.ACCEPTED: frozenset({_S.RECEIPTED, _S.CLOSED, _S.DISPUTED, _S.RETURNED})
    | {_S.DISCARDED},
    _S.RECEIPTED: frozenset({_S.CLOSED, _S.DISPUTED}),
    _S.RETURNED: frozenset({_S.DISCARDED}),
    _S.REJECTED: frozenset({_S.DISCARDED}),
}
_REPORTS: Final = frozenset({Act.SEND, Act.DELIVER, Act.REFUSE, Act.ARRIVE})
"""Acts that report or repeat something, and may therefore come late."""

_ACTING: Final = frozenset({_S.ACTING, _S.UNKNOWN, _S.ACTED, _S.RECEIPTED})

OUR_OWN: Final = frozenset({Act.ENTER, Act.ENTER_AND_SEND})
"""Acts by which a document about a voucher enters the vault of whoever issued it."""

BRINGS_DOCUMENT: Final = frozenset(
    {Act.ENTER, Act.ENTER_AND_SEND, Act.ARRIVE, Act.REGISTER}
)
"""Acts whose leaf has sealed bytes under the same index."""

SENDS: Final = frozenset({Act.SEND, Act.ENTER_AND_SEND})
"""Acts that are nothing without a lane: a voucher of ours leaves for its recipients."""

FILLS_LANES: Final = frozenset({Act.SEND, Act.ENTER, Act.ENTER_AND_SEND, Act.REGISTER})
"""Acts that put a document into the lanes of the carriers that their rows name."""

FROM_RECIPIENT: Final = frozenset(
    {
        DocumentKind.ACCEPTANCE,
        DocumentKind.REJECTION,
        DocumentKind.RETURN,
        DocumentKind.RECEIPT,
    }
)
"""Kinds of document about a voucher that its recipients issue."""

FROM_ISSUER: Final = frozenset({DocumentKind.RETURN_REQUEST, DocumentKind.DISCARD})
"""Kinds of document about a voucher that its issuer issues."""


def side_of(kind: DocumentKind) -> Role:
    """Return which side of a voucher issues documents of this kind."""
    return Role.RECIPIENT if kind in FROM_RECIPIENT else Role.ISSUER


VOID: Final = frozenset({Standing.RETURNED, Standing.DISCARDED})
"""Standings after which the next issue of a number may follow."""


def advance(
    role: Role, standing: Standing, act: Act, kind: DocumentKind
) -> Standing | None:
    """Return the standing that an act leads to, or None if it changes nothing.

    None means that the act was taken before or reports what is already known;
    whether it is recorded again is the caller's choice.

    Args:
        role: The side of the voucher that this vault keeps.
        standing: The standing with the recipient concerned.
        act: The act.
        kind: Kind of the document that the act is about.

    Raises:
        ActingBegun: It would take back what the recipient may be doing.
        NotInState: The standing does not allow the act.
    """
    if (role, act, kind) in _TELLS_ONLY:
        return None
    rule = _RULES.get((role, act, kind))
    if rule is not None:
        allowed, target = rule
        if standing in allowed:
            return target
        if standing == target:
            return None
        if act in _REPORTS and standing in _BEHIND.get(target, ()):
            return None
        if act is Act.REFUSE:
            # A refusal of bytes that the peer holds: it was told twice.
            return None
        if kind is DocumentKind.RETURN and standing in _ACTING:
            raise ActingBegun(
                "the recipient has begun to act", state=standing.name, act=act.name
            )
    raise NotInState(
        f"{act.name} of {kind.name} is not possible in {standing.name}",
        state=standing.name,
        act=f"{act.name} {kind.name}",
    )


def all_rules() -> dict[tuple[Role, Act, DocumentKind], _Rule]:
    """Return the whole table, for documentation and tests."""
    return dict(_RULES)
