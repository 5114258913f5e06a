"""A business system's configuration: which gateway, and who calls it as what.

    [office]
    party = "420000-011"                  # whose desk it is
    address = "127.0.0.1:7411"            # the own gateway
    authorities = "pki/authorities.pem"   # what its certificate is judged by

    [office.caller.system]                # any number of callers, by name
    certificate = "pki/system.pem"
    key = "file:pki/system.key"
    passphrase = "file:pki/system.pass"   # or fd:N, credential:NAME, none

    [office.caller.first_reviewer]        # a person whose key is in a token
    certificate = "pki/first.pem"
    key = "pkcs11:token=first;object=seal?module-path=/usr/lib/softhsm/libsofthsm2.so"
    passphrase = "file:first.pin"         # the token's PIN; none for a PIN pad

    [office.caller.first_reviewer.seal]   # only if the person seals by another one than
    certificate = "pki/first-sm2.pem"     # the connection's, e.g. with SM2
    key = "file:pki/first-sm2.key"        # or in a token, as above
    passphrase = "file:pki/first-sm2.pass"

Paths are relative to the file, but inside a PKCS#11 URI they are absolute.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from counterfoil.office.blocking import Desk
from counterfoil.office.calls import Patience
from counterfoil.office.channel import Access, absolute_reference, read_passphrase
from counterfoil.office.signing import Person
from counterfoil.office.token_access import open_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.seal.token_uri import PREFIX

_FILE = "file:"

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Where a business system works, and under which names.

    Attributes:
        party: Whose desk it is.
        address: The gateway's `host:port`.
        callers: Certificates and keys, by the name the configuration gives them.
        sealing: Those who seal by another certificate than the connection's, likewise.
    """

    party: str
    address: str
    callers: Mapping[str, Access] = field(repr=False)
    sealing: Mapping[str, Person] = field(default_factory=dict, repr=False)

    def desk(self, caller: str, patience: Patience | None = None) -> Desk:
        """Open the desk as one of the callers.

        Raises:
            ValueError: The configuration has no such caller.
        """
        return Desk(self.address, self._access(caller), patience)

    def person(self, caller: str) -> Person:
        """Return one of the callers as a person who can seal.

        Raises:
            ValueError: The configuration has no such caller.
        """
        access = self._access(caller)
        return self.sealing.get(caller) or Person.of(access)

    def _access(self, caller: str) -> Access:
        if caller not in self.callers:
            msg = f"the configuration has no [office.caller.{caller}]"
            raise ValueError(msg)
        return self.callers[caller]


def read_settings(path: Path) -> tuple[Station, dict[str, Any]]:
    """Return the station that a file configures, and the file's other tables.

    Raises:
        OSError: A file cannot be read.
        ValueError: A key is missing or wrong.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        office = document.pop("office")
        base, authorities = path.parent, path.parent / office["authorities"]
        station = Station(
            party=office["party"],
            address=office["address"],
            callers={
                name: _named(name, partial(_access, caller, authorities, base))
                for name, caller in office["caller"].items()
            },
            sealing={
                name: _named(f"{name}.seal", partial(_person, seal, base))
                for name, caller in office["caller"].items()
                if (seal := caller.get("seal")) is not None
            },
        )
    except KeyError as error:
        msg = f"{path.name}: {error.args[0]} is missing"
        raise ValueError(msg) from error
    return station, document


def _named(name: str, read: Callable[[], Read]) -> Read:
    """Return what is read of a caller; what refuses it says whose it is.

    Raises:
        ValueError: A certificate, key or passphrase cannot be used.
    """
    try:
        return read()
    except (ValueError, KeyRefused) as error:
        msg = f"office.caller.{name}: {error}"
    # What went wrong below may quote a PIN.
    raise ValueError(msg)


def _person(seal: Mapping[str, str], base: Path) -> Person:
    """Return who seals by a certificate that makes no connections."""
    chain = (base / seal["certificate"]).read_bytes()
    key = open_key(
        absolute_reference(seal["key"], base),
        absolute_reference(seal["passphrase"], base),
        chain,
    )
    return Person.with_key(chain, key)


def _access(caller: Mapping[str, str], authorities: Path, base: Path) -> Access:
    certificate, key = base / caller["certificate"], caller["key"]
    if key.startswith(PREFIX):
        return Access.from_token(
            certificate=certificate,
            uri=key,
            authorities=authorities,
            passphrase=absolute_reference(caller["passphrase"], base),
        )
    if not key.startswith(_FILE):
        msg = "a caller's key is a file: or, in a token, a pkcs11: URI"
        raise ValueError(msg)
    return Access.from_files(
        certificate=certificate,
        key=base / key.removeprefix(_FILE),
        authorities=authorities,
        passphrase=read_passphrase(caller["passphrase"], base),
    )
