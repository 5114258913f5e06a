"""Parties as the configuration names them, and callers as the register does."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.daemon.config import KINDS, Configuration
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.register import Register
from counterfoil.domain.registry import Party, Registry
from counterfoil.seal.certificates import certificate_digest


def registry_of(configuration: Configuration) -> Registry:
    """Return the parties that a configuration names."""
    return Registry(
        home=configuration.gateway.party,
        parties={
            party.code: Party(
                code=party.code,
                name=party.name,
                kind=KINDS[party.kind],
                carrier=party.carrier or party.code,
                encoding=party.encoding,
            )
            for party in configuration.party
        },
    )


def empty_register(registry: Registry) -> Register:
    """Return the register of a gateway before its first registration."""
    return Register(
        home=registry.home,
        carriers={code: party.carrier for code, party in registry.parties.items()},
    )


def caller_posts(
    configuration: Configuration, register: Callable[[], Register]
) -> Callable[[Identity], frozenset[Post]]:
    """Return what tells the posts of a caller now.

    Args:
        configuration: Says it until the register is founded.
        register: Returns what stands registered now.
    """
    configured = posts_of(configuration)

    def posts(caller: Identity) -> frozenset[Post]:
        now = register()
        if now.is_founded:
            return now.posts_of(caller)
        return configured.get(caller.to_urn(), frozenset())

    return posts


def caller_judge(
    trust: TrustKeeper, register: Callable[[], Register]
) -> Callable[[bytes], Identity]:
    """Return what tells whose a caller's certificate (DER) is that counts now.

    Args:
        trust: Judges certificates.
        register: Returns what stands registered now.
    """

    def judge(certificate: bytes) -> Identity:
        identity = trust.judge_caller(certificate)
        digest, now = certificate_digest(certificate), register()
        now.require_not_void((digest,))
        now.require_active(identity.to_urn(), digest)
        return identity

    return judge


def posts_of(configuration: Configuration) -> dict[str, frozenset[Post]]:
    """Return the posts of every caller that a configuration names."""
    return {
        Identity.from_urn(caller.identity).to_urn(): frozenset(
            Post(post) for post in caller.posts
        )
        for caller in configuration.caller
    }
