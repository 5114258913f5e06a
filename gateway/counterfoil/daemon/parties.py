"""Parties and callers, as the configuration names them."""

from __future__ import annotations

from counterfoil.daemon.config import KINDS, Configuration
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.registry import Party, Registry


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


def posts_of(configuration: Configuration) -> dict[str, frozenset[Post]]:
    """Return the posts of every caller that a configuration names."""
    return {
        Identity.from_urn(caller.identity).to_urn(): frozenset(
            Post(post) for post in caller.posts
        )
        for caller in configuration.caller
    }
