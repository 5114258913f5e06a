"""The configuration of one gateway: one TOML file, every limit with its unit.

`docs/gateway.toml` shows every key with its default; a test compares. What is not
a key of this file is refused, so that a misspelt limit cannot go unnoticed.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from counterfoil.daemon import watch_sections as watch
from counterfoil.daemon.limits_section import LimitsSection
from counterfoil.daemon.timestamp_section import TimestampSection, check_timestamp
from counterfoil.daemon.trust_section import TrustSection, check_trust
from counterfoil.domain.addresses import check_address
from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.party import Identity, check_party_code
from counterfoil.domain.posts import Post
from counterfoil.domain.registry import ENCODINGS, GBK
from counterfoil.seal.keys import NO_PASSPHRASE


class ConfigurationRefused(ValueError):
    """The configuration cannot be used; the text names the key and what to do."""


class OptionRefused(ConfigurationRefused):
    """What a command line says cannot be used; the text names the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySection:
    """`[gateway]`: whose gateway this is and where it listens."""

    party: str
    listen: str
    directory: str = "state"
    log_level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSection:
    """`[tls]`: what we show on connections."""

    certificate: str
    key: str
    passphrase: str = NO_PASSPHRASE


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSection:
    """`[head]` and `[head_next]`: keys that sign this log's checkpoints, and will."""

    ed25519: str
    mldsa44: str
    sm2: str = ""
    ed25519_passphrase: str = NO_PASSPHRASE
    mldsa44_passphrase: str = NO_PASSPHRASE
    sm2_passphrase: str = NO_PASSPHRASE


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSection:
    """`[seal]`: our institution's seal and the processes that work with it."""

    certificate: str
    key: str
    passphrase: str = NO_PASSPHRASE
    workers: int = 1
    batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedSection:
    """`[[hosted]]`: a party without a gateway of its own."""

    party: str
    certificate: str
    key: str
    passphrase: str = NO_PASSPHRASE


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySection:
    """`[[party]]`: an institution that we deal with."""

    code: str
    name: str
    kind: str
    carrier: str = ""
    encoding: str = GBK


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSection:
    """`[[peer]]`: a gateway that we exchange documents with."""

    party: str
    addresses: tuple[str, ...]
    heads: tuple[str, ...]
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSection:
    """`[register]`: what the register begins with."""

    founding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSection:
    """`[[caller]]`: who may call this desk, and as what."""

    identity: str
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSection:
    """`[ledger]` or `[workbench]`: a database; the password never in the URL."""

    url: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One gateway's whole configuration.

    Attributes:
        file: Where it was read.
    """

    file: Path
    gateway: GatewaySection
    tls: TlsSection
    trust: TrustSection
    head: HeadSection
    seal: SealSection
    head_next: HeadSection | None = None
    hosted: tuple[HostedSection, ...] = ()
    party: tuple[PartySection, ...] = ()
    peer: tuple[PeerSection, ...] = ()
    caller: tuple[CallerSection, ...] = ()
    register: RegisterSection = field(default_factory=RegisterSection)
    ledger: DatabaseSection = field(default_factory=DatabaseSection)
    workbench: DatabaseSection = field(default_factory=DatabaseSection)
    scrub: watch.ScrubSection = field(default_factory=watch.ScrubSection)
    program: watch.ProgramSection = field(default_factory=watch.ProgramSection)
    refusals: watch.RefusalsSection = field(default_factory=watch.RefusalsSection)
    responders: watch.RespondersSection = field(default_factory=watch.RespondersSection)
    timestamp: TimestampSection = field(default_factory=TimestampSection)
    limits: LimitsSection = field(default_factory=LimitsSection)

    @property
    def base(self) -> Path:
        """Directory of the file; relative paths start there."""
        return self.file.parent

    @property
    def directory(self) -> Path:
        """Where vault, heads, ledger and workbench live."""
        return self.path(self.gateway.directory)

    def path(self, text: str) -> Path:
        """Return a path of the file, from its own directory if relative."""
        return self.base / text


KINDS: Final = {kind.name.lower().replace("_", "-"): kind for kind in PartyKind}
"""Kinds of party as the file names them."""

_SPACE: Final = ord(" ")
_RANGES: Final = {"limits.message_bytes_max": (2_097_152, 2**31 - 1)}
"""What a peer may send in a message, and what gRPC takes."""
_MOST: Final = 2**62  # what fits into 64 bits, and half of it again
_LOG_LEVELS: Final = frozenset({"debug", "info", "warning", "error"})


def load_configuration(file: Path) -> Configuration:
    """Read and check a configuration file.

    Raises:
        ConfigurationRefused: It cannot be read, lacks a key, has one too many, or
            a value is of the wrong type or contradicts another.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{file}: cannot be read: {error.strerror}"
        raise ConfigurationRefused(msg) from error
    except ValueError as error:  # of the encoding, the grammar, or a number's length
        msg = f"{file}: not TOML: {error}"
        raise ConfigurationRefused(msg) from error
    except RecursionError:
        msg = f"{file}: not TOML: nested too deeply"
        raise ConfigurationRefused(msg) from None
    sections: dict[str, Any] = {"file": file.resolve()}
    known = {f.name: f for f in dataclasses.fields(Configuration) if f.name != "file"}
    hints = typing.get_type_hints(Configuration)
    for name, table in document.items():
        if name not in known:
            msg = f"[{name}]: there is no such section"
            raise ConfigurationRefused(msg)
        sections[name] = _section(hints[name], table, name)
    missing = [
        name
        for name, f in known.items()
        if name not in sections
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        msg = f"[{missing[0]}]: this section is required"
        raise ConfigurationRefused(msg)
    configuration = Configuration(**sections)
    _check(configuration)
    return configuration


def _section(kind: Any, table: Any, where: str) -> Any:  # noqa: ANN401 -- by type hint
    if typing.get_origin(kind) is tuple:
        if not isinstance(table, list):
            msg = f"[[{where}]]: write it with two brackets"
            raise ConfigurationRefused(msg)
        (item, _) = typing.get_args(kind)
        return tuple(
            _section(item, one, f"{where}[{index}]") for index, one in enumerate(table)
        )
    if isinstance(kind, types.UnionType):
        (kind, _) = typing.get_args(kind)
    if not isinstance(table, dict):
        msg = f"[{where}]: this is a section, not a value"
        raise ConfigurationRefused(msg)
    hints = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in hints:
            msg = f"{where}.{key}: there is no such key"
            raise ConfigurationRefused(msg)
        values[key] = _value(hints[key], value, f"{where}.{key}")
    try:
        return kind(**values)
    except TypeError as error:
        required = [
            f.name
            for f in dataclasses.fields(kind)
            if f.name not in values and f.default is dataclasses.MISSING
        ]
        msg = f"{where}.{required[0]}: this key is required"
        raise ConfigurationRefused(msg) from error


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if isinstance(kind, types.GenericAlias):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(_text(one, where) for one in value)
        msg = f"{where}: a list of texts is expected"
        raise ConfigurationRefused(msg)
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf
    if type(value) is not kind:
        msg = f"{where}: a value of type {kind.__name__} is expected"
        raise ConfigurationRefused(msg)
    return _text(value, where) if isinstance(value, str) else value


def _text(value: str, where: str) -> str:
    """Return a text that may be a path: no control character stands in one."""
    if any(ord(character) < _SPACE for character in value):
        msg = f"{where}: a control character stands in it"
        raise ConfigurationRefused(msg)
    return value


def _check(configuration: Configuration) -> None:
    """Check what no type says, and what one key says about another."""
    _check_names(configuration)
    _check_parties(configuration)
    if configuration.gateway.log_level not in _LOG_LEVELS:
        msg = "gateway.log_level: must be debug, info, warning or error"
        raise ConfigurationRefused(msg)
    bounds = {
        f"{section}.{name}": bound
        for section in ("limits", "scrub", "refusals", "responders")
        for name, bound in dataclasses.asdict(getattr(configuration, section)).items()
    }
    bounds["trust.reload_s"] = configuration.trust.reload_s
    bounds["program.check_s"] = configuration.program.check_s
    bounds["trust.ocsp_s_max"] = configuration.trust.ocsp_s_max
    bounds |= {
        f"timestamp.{name}": bound
        for name, bound in dataclasses.asdict(configuration.timestamp).items()
        if isinstance(bound, float)
    }
    for name, bound in bounds.items():
        # Not `bound <= 0`: TOML knows nan, of which neither is true.
        if not 0 < bound < math.inf:
            msg = f"{name}: must be greater than zero, and finite"
            raise ConfigurationRefused(msg)
        least, most = _RANGES.get(name, (0, _MOST))
        if not least <= bound <= most:
            msg = f"{name}: must not be less than {least} nor greater than {most}"
            raise ConfigurationRefused(msg)
    if bool(configuration.program.list) != bool(configuration.program.keys):
        msg = "program.list and program.keys: one is nothing without the other"
        raise ConfigurationRefused(msg)
    try:
        check_trust(configuration.trust)
        watch.check_refusals(configuration.refusals)
        check_timestamp(configuration.timestamp)
    except ValueError as error:
        raise ConfigurationRefused(str(error)) from error
    if configuration.seal.workers < 1:
        msg = "seal.workers: at least one process is needed"
        raise ConfigurationRefused(msg)


def _check_names(configuration: Configuration) -> None:
    """Check that codes, identities and posts are what they are meant to be."""
    gateway = configuration.gateway
    names: list[tuple[str, str, Callable[[str], object]]] = [
        ("gateway.party", gateway.party, check_party_code),
        ("gateway.listen", gateway.listen, check_address),
    ]
    for peer in configuration.peer:
        where = f"peer {peer.party}: addresses"
        names += [(where, address, check_address) for address in peer.addresses]
    for index, party in enumerate(configuration.party):
        names.append((f"party[{index}].code", party.code, check_party_code))
    for index, caller in enumerate(configuration.caller):
        where = f"caller[{index}]"
        names.append((f"{where}.identity", caller.identity, Identity.from_urn))
        names += [(f"{where}.posts", post, Post) for post in caller.posts]
    for where, text, check in names:
        try:
            check(text)
        except ValueError as error:
            msg = f"{where}: {error}"
            raise ConfigurationRefused(msg) from error


def _check_parties(configuration: Configuration) -> None:
    """Check that every party is described once, and every name is one of them.

    Whoever is named by the register alone is looked for when it is open: see
    `lines.require_lines`.
    """
    described = [party.code for party in configuration.party]
    codes, founding = set(described), configuration.register.founding
    for section, mentioned in (
        ("party", described),
        ("peer", [peer.party for peer in configuration.peer]),
        ("hosted", [hosted.party for hosted in configuration.hosted]),
    ):
        if twice := {code for code in mentioned if mentioned.count(code) > 1}:
            msg = f"party {min(twice)}: has two [[{section}]] sections"
            raise ConfigurationRefused(msg)
    for party in configuration.party:
        if party.kind not in KINDS:
            msg = f"party {party.code}: kind must be one of {', '.join(sorted(KINDS))}"
            raise ConfigurationRefused(msg)
        if party.encoding not in ENCODINGS:
            msg = f"party {party.code}: encoding must be {' or '.join(ENCODINGS)}"
            raise ConfigurationRefused(msg)
        if party.carrier and party.carrier not in codes and not founding:
            msg = f"party {party.code}: its carrier {party.carrier} is no [[party]]"
            raise ConfigurationRefused(msg)
    named = {configuration.gateway.party}
    named |= {section.party for section in configuration.hosted}
    named |= {section.party for section in configuration.peer}
    if (unknown := named - codes) and not founding:
        msg = f"party {min(unknown)}: is named but has no [[party]] section"
        raise ConfigurationRefused(msg)
    for peer in configuration.peer:
        if not peer.addresses:
            msg = f"peer {peer.party}: addresses: at least one is needed"
            raise ConfigurationRefused(msg)
