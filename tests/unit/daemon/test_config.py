"""A configuration says everything in keys that exist, or the gateway says which not."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

from counterfoil.daemon.config import (
    KINDS,
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.domain.catalogue import PartyKind
from counterfoil.seal import time_stamps
from tools.tree import ROOT

MANUAL = ROOT / "docs/gateway.toml"
PATHS = {"passphrase", "ed25519_passphrase", "mldsa44_passphrase"}
"""Keys whose default is `none`, where the manual shows what one really writes."""

SMALLEST = """
[gateway]
party = "420000-011"
listen = "127.0.0.1:7411"
[tls]
certificate = "tls.pem"
key = "file:tls.key"
[trust]
authorities = "roots.pem"
revocation_lists = ["root.crl"]
[head]
ed25519 = "file:e.key"
mldsa44 = "file:m.key"
[seal]
certificate = "seal.pem"
key = "file:seal.key"
[[party]]
code = "420000-011"
name = "财政"
kind = "finance"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.toml"


def load(file: Path, text: str) -> Configuration:
    file.write_text(text, encoding="utf-8")
    return load_configuration(file)


def refused(file: Path, text: str) -> str:
    with pytest.raises(ConfigurationRefused) as caught:
        load(file, text)
    return str(caught.value)


def sections() -> dict[str, type[Any]]:
    """Return the dataclass of each section that a configuration always has."""
    found = {}
    for name, hint in typing.get_type_hints(Configuration).items():
        kind = typing.get_args(hint)[0] if typing.get_origin(hint) else hint
        if dataclasses.is_dataclass(kind):
            found[name] = typing.cast("type[Any]", kind)
    assert found.pop("head_next") is found["head"]
    return found


# --- the manual ------------------------------------------------------------------


def test_the_manual_is_a_configuration() -> None:
    configuration = load_configuration(MANUAL)

    assert configuration.gateway.party == "420000-011"
    assert [party.carrier for party in configuration.party] == ["", "", "420000-011"]
    assert configuration.directory == MANUAL.parent / "state"


def test_the_manual_names_every_key_there_is() -> None:
    text = MANUAL.read_text("utf-8")
    manual = tomllib.loads(text)
    commented = set(re.findall(r"^# (\w+) = ", text, re.MULTILINE))

    assert "\n# [head_next] " in text
    for name, kind in sections().items():
        shown = manual[name]
        tables = shown if isinstance(shown, list) else [shown]
        written = {key for table in tables for key in table} | commented
        if name == "workbench":
            written |= manual["ledger"].keys()  # the same keys, described once
        assert {each.name for each in dataclasses.fields(kind)} <= written, name


def test_the_manual_states_the_defaults() -> None:
    manual = tomllib.loads(MANUAL.read_text("utf-8"))
    stated, ours = {}, {}
    for name, kind in sections().items():
        if isinstance(manual[name], list) or name in {"ledger", "workbench"}:
            continue
        for each in dataclasses.fields(kind):
            if each.default is not dataclasses.MISSING and each.name not in PATHS:
                ours[f"{name}.{each.name}"] = each.default
                value = manual[name][each.name]
                value = tuple(value) if isinstance(value, list) else value
                stated[f"{name}.{each.name}"] = value

    assert stated == ours
    assert len(ours) >= 15


def test_the_manual_marks_exactly_the_keys_without_default_as_required() -> None:
    section, marked, required = "", set(), set()
    for line in MANUAL.read_text("utf-8").splitlines():
        if heading := re.match(r"\[([a-z]+)\]", line):
            section = heading.group(1)
        elif line.startswith("[["):
            section = ""
        elif section and (key := re.match(r"(\w+) = .*# required", line)):
            marked.add(f"{section}.{key.group(1)}")
    for name, kind in sections().items():
        for each in dataclasses.fields(kind):
            if each.default is dataclasses.MISSING and f"[{name}]" in SMALLEST:
                required.add(f"{name}.{each.name}")

    assert marked == required - {"party.code", "party.name", "party.kind"}


def test_the_manual_shows_the_databases_where_they_are_by_default() -> None:
    manual = tomllib.loads(MANUAL.read_text("utf-8"))

    for name in ("ledger", "workbench"):
        place = f"sqlite:///{manual['gateway']['directory']}/{name}.sqlite"
        assert manual[name]["url"] == place


def test_every_kind_of_party_has_a_name() -> None:
    assert KINDS == {
        "finance": PartyKind.FINANCE,
        "treasury": PartyKind.TREASURY,
        "agent-bank": PartyKind.AGENT_BANK,
        "budget-unit": PartyKind.BUDGET_UNIT,
        "special-account-bank": PartyKind.SPECIAL_ACCOUNT_BANK,
    }


# --- loading ---------------------------------------------------------------------


def test_the_smallest_configuration_has_every_default(file: Path) -> None:
    configuration = load(file, SMALLEST)

    assert configuration.tls.passphrase == "none"  # noqa: S105 -- none at all
    assert configuration.seal.workers == 1
    assert (configuration.peer, configuration.caller) == ((), ())
    assert configuration.directory == file.parent / "state"


def test_paths_start_at_the_file_unless_they_are_absolute(file: Path) -> None:
    configuration = load(file, SMALLEST)

    assert configuration.path("a/b") == file.parent / "a/b"
    assert configuration.path("/a/b") == Path("/a/b")


def test_a_whole_number_of_seconds_is_a_number_of_seconds(file: Path) -> None:
    text = SMALLEST.replace("[head]", "reload_s = 5\n[head]")

    configuration = load(file, text)

    assert configuration.trust.reload_s == 5.0
    assert isinstance(configuration.trust.reload_s, float)


# --- refusals: the text names the key --------------------------------------------


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(ConfigurationRefused, match=re.escape(str(file))):
        load_configuration(file)


@pytest.mark.parametrize(
    "content",
    [b"party = ", b"\xff\xfe", b"x = " + b"[" * 100_000, b"x = " + b"9" * 5_000],
    ids=["cut off", "not UTF-8", "deep", "long number"],
)
def test_a_file_that_is_not_toml_is_named(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    with pytest.raises(ConfigurationRefused, match="not TOML"):
        load_configuration(file)


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ("[limit]\nwindow_batches = 1", "[limit]"),
        ("[limits]\nwindow_batch = 1", "limits.window_batch"),
        ("[[caller]]\nidentiy = 'x'", "caller[0].identiy"),
        ("[[peer]]\nparty = 'x'\naddresses = []", "peer[0].heads"),
        ("[caller]\nidentity = 'x'", "[[caller]]"),
        ("[[limits]]\nwindow_batches = 1", "[limits]"),
        ("[limits]\nwindow_batches = '4'", "limits.window_batches"),
        ("[limits]\nwindow_batches = 4.5", "limits.window_batches"),
        ("[limits]\nwindow_batches = true", "limits.window_batches"),
        ("[limits]\nretry_s_min = true", "limits.retry_s_min"),
        ("[limits]\nretry_s_min = '1'", "limits.retry_s_min"),
        ("[[caller]]\nidentity = 1\nposts = []", "caller[0].identity"),
        ("[[caller]]\nidentity = 'x'\nposts = 'x'", "caller[0].posts"),
        ("[[caller]]\nidentity = 'x'\nposts = [1]", "caller[0].posts"),
        ("[[caller]]\nidentity = 'nobody'\nposts = []", "caller[0].identity"),
        (
            (
                "[[caller]]\nidentity = 'urn:counterfoil:420000-011:system:1'\n"
                "posts = ['king']"
            ),
            "caller[0].posts",
        ),
        ("[[party]]\ncode = 'x'\nname = ''\nkind = 'finance'", "party[1].code"),
        ("[[party]]\ncode = '420000-1'\nname = ''\nkind = ''", "party[1].code"),
        ("[[party]]\ncode = '420000-102'\nname = ''\nkind = 'bank'", "420000-102"),
        (
            (
                "[[party]]\ncode = '420000-102'\nname = ''\nkind = 'agent-bank'\n"
                "encoding = 'UTF-8'"
            ),
            "encoding must be GBK or GB18030",
        ),
        (
            (
                "[[party]]\ncode = '420000-102'\nname = ''\nkind = 'agent-bank'\n"
                "carrier = '420000-103'"
            ),
            "420000-103",
        ),
        (
            "[[party]]\ncode = '420000-011'\nname = ''\nkind = 'treasury'",
            "420000-011",
        ),
        (
            "[[peer]]\nparty = '420000-102'\naddresses = []\nheads = []",
            "420000-102",
        ),
        (
            "[[hosted]]\nparty = '420000-101001'\ncertificate = ''\nkey = ''",
            "420000-101001",
        ),
        (
            '[[peer]]\nparty = "420000-011"\naddresses = []\nheads = []',
            "peer 420000-011: addresses",
        ),
        ("[limits]\nwindow_batches = 0", "limits.window_batches"),
        ("[limits]\nretry_s_max = -1", "limits.retry_s_max"),
        ("[limits]\nretry_s_max = nan", "limits.retry_s_max"),
        ("[limits]\nretry_s_max = inf", "limits.retry_s_max"),
        (f"[limits]\nretry_s_max = 1{'0' * 400}", "limits.retry_s_max"),
        ("[limits]\nretry_s_max = 2026-01-01", "limits.retry_s_max"),
        ("[limits]\nvault_bytes_max = 9223372036854775808", "limits.vault_bytes_max"),
        ("[limits]\nmessage_bytes_max = 2147483648", "limits.message_bytes_max"),
        ("[limits]\nmessage_bytes_max = 2097151", "limits.message_bytes_max"),
        ('[ledger]\nurl = "sqlite:////a\\u0000b"', "ledger.url"),
        (
            '[[caller]]\nidentity = "x"\nposts = ["a\\nb"]',
            "caller[0].posts: a control character",
        ),
        (
            "[[peer]]\nparty = '420000-011'\naddresses = ['b:1', 'b']\nheads = []",
            "peer 420000-011: addresses: not host:port: 'b'",
        ),
    ],
)
def test_whatever_is_wrong_is_named(file: Path, added: str, named: str) -> None:
    assert named in refused(file, f"{SMALLEST}\n{added}\n")


@pytest.mark.parametrize(
    "more",
    [
        "[[hosted]]\nparty = '420000-101001'\ncertificate = ''\nkey = ''",
        "[[peer]]\nparty = '420000-102'\naddresses = ['b:1']\nheads = []",
        (
            "[[party]]\ncode = '420000-102'\nname = ''\nkind = 'agent-bank'\n"
            "carrier = '420000-103'"
        ),
    ],
)
def test_whom_a_register_may_name_needs_no_section(file: Path, more: str) -> None:
    # Whether it does is looked for when it is open: see `test_lines`.
    assert "420000-10" in refused(file, f"{SMALLEST}\n{more}\n")

    configuration = load(file, f"{SMALLEST}\n[register]\nfounding = 'f'\n{more}\n")

    assert configuration.register.founding == "f"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('listen = "127.0.0.1:7411"', "", "gateway.listen"),
        *(
            ("127.0.0.1:7411", wrong, f"gateway.listen: not host:port: {wrong!r}")
            for wrong in ("", "host", ":7411", "host:", "host:65536", "host:-1")
        ),
        ('party = "420000-011"', 'party = "finance"', "gateway.party"),
        ('party = "420000-011"', 'party = "420000-012"', "420000-012"),
        ('revocation_lists = ["root.crl"]', "", "trust.revocation_lists"),
        ("[head]", "reload_s = 0\n[head]", "trust.reload_s"),
        ('["root.crl"]', "[]", "trust.revocation_lists"),
        ("[head]", 'revocation = "none"\n[head]', "trust.revocation"),
        *(
            ("[head]", f"speaks_for = ['{line}']\n[head]", "trust.speaks_for")
            for line in ("", "r.pem", "=420000-102", "r.pem=", "r.pem=420000-102,")
        ),
        ("[head]", 'revocation = "soft"\n[head]', "trust.soft_age_s_max"),
        ("[head]", "soft_age_s_max = 3600\n[head]", "trust.soft_age_s_max"),
        ("[head]", "soft_age_s_max = -1\n[head]", "trust.soft_age_s_max"),
        ("[head]", "soft_age_s_max = nan\n[head]", "trust.soft_age_s_max"),
        (
            "[head]",
            'revocation = "soft"\nsoft_age_s_max = 2678401\n[head]',
            "trust.soft_age_s_max",
        ),
        ("[head]", "ocsp_s_max = 0\n[head]", "trust.ocsp_s_max"),
        (
            "[head]",
            'ocsp_responder = "http://host/"\n[head]',
            "trust.ocsp_responder",
        ),
        (
            "[head]",
            'ocsp = true\nocsp_responder = "https://host/"\n[head]',
            "trust.ocsp_responder",
        ),
        *(
            ("[head]", f"[timestamp]\n{lines}\n[head]", f"timestamp.{named}")
            for lines, named in (
                ("addresses = ['https://tsa/']\nauthorities = 'r.pem'", "addresses"),
                ("addresses = ['http://a b/']\nauthorities = 'r.pem'", "addresses"),
                (
                    f"addresses = {['http://tsa/'] * 9}\nauthorities = 'r.pem'",
                    "addresses",
                ),
                ("addresses = ['http://tsa/']", "authorities"),
                ("authorities = 'r.pem'", "addresses"),
                ("policy = '1.2.3'", "addresses"),
                ("revocation_lists = ['r.crl']", "addresses"),
                (
                    "addresses = ['http://tsa/']\nauthorities = 'r'\npolicy = '3.1'",
                    "policy",
                ),
                ("every_s = 0", "every_s"),
                ("retry_s = nan", "retry_s"),
                ("answer_s_max = inf", "answer_s_max"),
                ("accuracy_s_max = -1", "accuracy_s_max"),
                ("clock_s_max = 0", "clock_s_max"),
                ("alert_s = 0", "alert_s"),
            )
        ),
        ('["root.crl"]', '"root.crl"', "trust.revocation_lists"),
        ("[gateway]", '[gateway]\nlog_level = "loud"', "gateway.log_level"),
        ("[seal]", "[seal]\nworkers = 0", "seal.workers"),
        ("[seal]", "[seal]\nbatch = 1", "seal.batch"),
        (
            '[head]\ned25519 = "file:e.key"\nmldsa44 = "file:m.key"\n',
            "",
            "[head]",
        ),
        ("\n[gateway]", "\nseal = 1\n[gateway]", "seal"),
    ],
)
def test_whatever_is_changed_for_the_worse_is_named(
    file: Path, old: str, new: str, named: str
) -> None:
    assert old in SMALLEST

    text = SMALLEST.replace(old, new, 1)
    if new.startswith("\nseal"):
        text = text.replace("[seal]", "[other]")

    assert named in refused(file, text)


def test_revocation_fails_hard_unless_soft_is_asked_for_with_an_age(
    file: Path,
) -> None:
    soft = 'revocation = "soft"\nsoft_age_s_max = 7200\n[head]'

    assert load(file, SMALLEST).trust.soft_us == 0
    configuration = load(file, SMALLEST.replace("[head]", soft))
    assert configuration.trust.soft_us == 7_200_000_000


def test_lists_may_be_missing_where_responders_are_asked(file: Path) -> None:
    text = SMALLEST.replace('["root.crl"]', "[]\nocsp = true")

    assert load(file, text).trust.revocation_lists == ()


@pytest.mark.parametrize("address", ["host:0", "127.0.0.1:65535", "[::1]:7411"])
def test_host_and_port_are_an_address(file: Path, address: str) -> None:
    text = SMALLEST.replace("127.0.0.1:7411", address)

    assert load(file, text).gateway.listen == address


def test_the_largest_message_is_what_grpc_takes(file: Path) -> None:
    configuration = load(
        file, f"{SMALLEST}[limits]\nmessage_bytes_max = 2147483647\nretry_s_max = 7"
    )

    assert configuration.limits.message_bytes_max == 2**31 - 1
    assert configuration.limits.retry_s_max == 7.0


@pytest.mark.parametrize("section", ["peer", "hosted"])
def test_no_party_is_described_twice(file: Path, section: str) -> None:
    other = "[[party]]\ncode = '420000-102'\nname = ''\nkind = 'agent-bank'\n"
    keys = {
        "peer": "addresses = ['localhost:1']\nheads = []\n",
        "hosted": "certificate = ''\nkey = ''\n",
    }
    table = f"[[{section}]]\nparty = '420000-102'\n{keys[section]}"
    load(file, SMALLEST + other + table)

    text = refused(file, SMALLEST + other + table + table)

    assert "420000-102" in text
    assert f"[[{section}]]" in text


STAMPED = "[timestamp]\naddresses = ['http://tsa/']\nauthorities = 'r.pem'\n"


def test_without_its_table_nobody_is_asked_for_time_stamps(file: Path) -> None:
    assert not load(file, SMALLEST).timestamp.is_wanted
    assert not load(file, f"{SMALLEST}[timestamp]\n").timestamp.is_wanted
    assert load(file, SMALLEST + STAMPED).timestamp.is_wanted


def test_time_stamps_without_their_package_are_refused_with_advice(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_stamps, "PACKAGE", "rfc3161_client_that_is_not_there")

    text = refused(file, SMALLEST + STAMPED)

    assert text.startswith("timestamp.")
    assert "install counterfoil[timestamp]" in text
    # Whoever wants none needs no package.
    load(file, SMALLEST)
