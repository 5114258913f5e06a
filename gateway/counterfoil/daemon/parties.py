"""Callers as the register, or until it is founded the configuration, names them."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.app.ports import Vault
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.register import Register
from counterfoil.seal.certificates import certificate_digest


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


def caller_judge(trust: TrustKeeper, vault: Vault) -> Callable[[bytes], Identity]:
    """Return what tells whose a caller's certificate (DER) is that counts now.

    Args:
        trust: Judges certificates.
        vault: Knows what stands registered now, and when its newest leaf was written.
    """

    def judge(certificate: bytes) -> Identity:
        identity = trust.judge_caller(certificate, vault.time_us)
        digest, now = certificate_digest(certificate), vault.register
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
