"""Roots that speak for some parties only, as the configuration says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.trust import TrustKeeper, read_material
from counterfoil.domain.refusals import CallerUnknown
from counterfoil.seal.certificates import load_pem_chain
from tests.houses import BANK, FINANCE, Town
from tests.unit.seal.makers import Pki


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(directory=tmp_path / "town")


def limited(town: Town, *lines: str) -> Configuration:
    configuration = town.configuration(FINANCE)
    trust = replace(configuration.trust, speaks_for=lines)
    return replace(configuration, trust=trust)


def root_file(town: Town) -> Path:
    """Write the one root of a town to a file of its own."""
    file = town.directory / "root.pem"
    root = x509.load_der_x509_certificate(town.ca.root_der)
    file.write_bytes(root.public_bytes(Encoding.PEM))
    return file


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("CALLER_UNKNOWN")
def test_a_root_issues_in_nobody_elses_name(town: Town) -> None:
    file, now_us = root_file(town), SystemClock().now_us
    ours, theirs = (
        load_pem_chain(town.ca.credential(party, "gateway").chain_file.read_bytes())[0]
        for party in (FINANCE, BANK)
    )

    everybody = TrustKeeper(limited(town), now_us)
    bank = TrustKeeper(limited(town, f"{file}={BANK}"), now_us)
    both = TrustKeeper(limited(town, f"{file}={BANK}", f"{file}={FINANCE}"), now_us)

    for keeper in (everybody, both):
        assert keeper.judge_caller(ours).party == FINANCE
        assert keeper.judge_caller(theirs).party == BANK
    assert bank.judge_caller(theirs).party == BANK
    with pytest.raises(CallerUnknown):
        bank.judge_caller(ours)


def test_a_limit_that_would_limit_nothing_is_refused(
    town: Town, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    root = Pki.new("stranger").root.certificate
    stranger.write_bytes(root.public_bytes(Encoding.PEM))
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", encoding="utf-8")
    for file in (stranger, broken, tmp_path / "none.pem"):
        with pytest.raises(ConfigurationRefused, match=file.name):
            read_material(limited(town, f"{file}={BANK}"))
