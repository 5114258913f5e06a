"""Self-tests of what others must agree to: peers, heads, clock, ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from counterfoil.daemon.config import Configuration, PeerSection
from counterfoil.daemon.keys import load_head_verifiers
from counterfoil.daemon.known_peers import known_peers
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.stores import heads_directory, open_ledger
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.domain.party import origin_of
from counterfoil.domain.refusals import HeadForked, PeerUnreachable
from counterfoil.domain.registration import PeerConnection
from counterfoil.peer.link import PeerAddress, PeerLink
from counterfoil.seal.chains import SKEW_US
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.ml_dsa import MlDsa44Verifier
from counterfoil.tlog.note import NoteVerifier, open_note
from counterfoil.tlog.timestamp import cosignature_time_s
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.heads import KnownHead, known_heads

SKEW_S: Final = SKEW_US // 1_000_000
"""By how much clocks may differ, in seconds: as certificates are judged."""

BEHIND_MAX: Final = 10_000
"""Leaves that a ledger may be behind while its gateway is busy."""

_CONNECT_S: Final = 5.0


def check_heads(configuration: Configuration, _: int) -> Iterator[Check]:
    """Look for our own head and for each peer's, whose signatures must hold."""
    heads = _heads(configuration)
    has_sm3 = bool(configuration.head.sm2)
    for tree in LogTree if has_sm3 else (LogTree.SHA256,):
        origin = tree.origin(origin_of(configuration.gateway.party))
        own = heads.get(origin)
        if own is None:
            yield Check(Level.FAULT, origin, "the head store knows nothing of our log")
        else:
            yield Check(Level.OK, origin, f"{own.head.size} leaves signed")
    for peer in known_peers(configuration):
        name = origin_of(peer.party)
        known = heads.get(name)
        if known is None:
            yield Check(Level.WARNING, name, "no head seen yet")
            continue
        try:
            open_note(known.note, load_head_verifiers(peer))
        except TlogError as error:
            yield Check(Level.FAULT, name, f"its head does not hold: {error}")
        else:
            yield Check(Level.OK, name, f"{known.head.size} leaves seen")


def check_clock(configuration: Configuration, now_us: int) -> Iterator[Check]:
    """Compare our clock with the times at which peers signed what we hold.

    A peer's head is older than now. One that is not, by more than the skew that is
    allowed, says that our clock is slow or the peer's is fast.
    """
    heads, now_s = _heads(configuration), now_us // 1_000_000
    for peer in known_peers(configuration):
        known = heads.get(origin_of(peer.party))
        signed_s = None if known is None else _signed_s(known, peer)
        if signed_s is None:
            yield Check(Level.WARNING, peer.party, "no time of this peer is known")
        elif signed_s > now_s + SKEW_S:
            detail = f"its newest head is {signed_s - now_s} s ahead of our clock"
            yield Check(Level.FAULT, peer.party, f"{detail} (时钟不一致)")
        else:
            detail = f"its newest head is {now_s - signed_s} s old"
            yield Check(Level.OK, peer.party, f"{detail}, {SKEW_S} s ahead allowed")


def _signed_s(known: KnownHead, peer: PeerSection | PeerConnection) -> int | None:
    """Return the time that a peer's ML-DSA-44 signature states; None if none holds."""
    verifiers: tuple[NoteVerifier, ...] = load_head_verifiers(peer)
    timed = [one for one in verifiers if isinstance(one, MlDsa44Verifier)]
    try:
        opened = open_note(known.note, timed)
        return cosignature_time_s(opened.signature_of(timed[0])) if timed else None
    except TlogError:
        return None  # told by `check_heads`


async def check_ledger(configuration: Configuration) -> list[Check]:
    """Compare how far the ledger is with what our log has signed."""
    own = _heads(configuration).get(origin_of(configuration.gateway.party))
    signed = 0 if own is None else own.head.size
    own_file = configuration.directory / "ledger.sqlite"
    if not configuration.ledger.url and not own_file.exists():
        # Opening one would make it.
        return [Check(Level.FAULT, "ledger", "there is none (台账不存在)")]
    ledger = open_ledger(configuration)
    try:
        behind = signed - await ledger.next_index()
    finally:
        await ledger.close()
    level = Level.WARNING if behind > BEHIND_MAX else Level.OK
    return [Check(level, "ledger", f"{max(behind, 0)} of {signed} leaves behind")]


async def check_peers(configuration: Configuration) -> list[Check]:
    """Ask each peer once, as the gateway would."""
    tls = TlsKeeper(configuration)
    return [check async for check in _each_peer(configuration, tls)]


async def _each_peer(
    configuration: Configuration, tls: TlsKeeper
) -> AsyncIterator[Check]:
    for peer in known_peers(configuration):
        link = PeerLink(
            peer=PeerAddress(
                party=peer.party,
                addresses=peer.addresses,
                server_name=peer.server_name,
            ),
            credentials=tls.channel,
            connect_s=_CONNECT_S,
        )
        try:
            await link.open()
        except PeerUnreachable as error:
            yield Check(Level.FAULT, peer.party, str(error))
        else:
            yield Check(Level.OK, peer.party, f"answers at {link.address}")
        finally:
            await link.close()


def _heads(configuration: Configuration) -> Mapping[str, KnownHead]:
    """Return the newest heads by log.

    Raises:
        HeadForked: The head store is damaged.
        OSError: It cannot be read.
    """
    directory = heads_directory(configuration)
    if not directory.exists():
        raise HeadForked("there is no head store")
    return known_heads(directory)
