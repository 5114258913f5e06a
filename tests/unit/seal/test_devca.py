"""The development PKI makes what a gateway takes."""

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.certificates import USAGES, urn
from counterfoil.devca.cli import main
from counterfoil.devca.credential import Credential
from counterfoil.devca.directory import PERSONS, DevelopmentCa
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.seals import Algorithm
from counterfoil.seal.certificates import load_pem_chain
from counterfoil.seal.head_keys import head_signers, load_log_keys
from counterfoil.seal.keys import KeyReference, load_signing_key, load_tls_key
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.seal.verify import verify_seals
from counterfoil.wire.seals import encode_statement
from tests.unit.seal.makers import NOW, NOW_US, PARTY, alone, court_of, forged_at


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    return DevelopmentCa.create(
        tmp_path_factory.mktemp("pki") / "dev",
        [PARTY, "420000-102"],
        now=NOW,
        institution_algorithm="ed25519",
    )


def reference(credential: Credential) -> KeyReference:
    return KeyReference(f"file:{credential.key_file}", f"file:{credential.pass_file}")


def material_of(ca: DevelopmentCa) -> TrustMaterial:
    return TrustMaterial(
        anchors=(TrustAnchor(ca.root_der),),
        authorities=(ca.authority_der,),
        crls=ca.crls_der,
    )


def sealer_of(credential: Credential) -> Sealer:
    certificate = load_pem_chain(credential.chain_file.read_bytes())[0]
    return Sealer.of(
        load_signing_key(reference(credential)), certificate, encode_statement
    )


@pytest.mark.parametrize("use", list(Use))
def test_it_writes_identities_as_the_gateway_reads_them(use: Use) -> None:
    identity = Identity(party=PARTY, use=use, name="li.wei-1")

    assert urn(PARTY, use.value, "li.wei-1") == identity.to_urn()
    assert use.value in USAGES


def test_its_seals_hold(ca: DevelopmentCa) -> None:
    for use, names in (("institution", ("1",)), ("person", PERSONS)):
        for name in names:
            sealer = sealer_of(ca.credential(PARTY, use, name))
            verified = verify_seals(alone(sealer), court_of(material_of(ca), [sealer]))
            assert verified.sealings[0].signer.to_urn() == urn(PARTY, use, name)


def test_institutions_seal_with_the_algorithm_asked_for(ca: DevelopmentCa) -> None:
    institution = sealer_of(ca.credential(PARTY, "institution"))
    person = sealer_of(ca.credential(PARTY, "person", "first"))

    assert institution.key.algorithm is Algorithm.ED25519
    assert person.key.algorithm is Algorithm.ECDSA_P256_SHA256


@pytest.mark.parametrize("use", [Use.GATEWAY, Use.SYSTEM])
def test_its_connections_are_trusted(ca: DevelopmentCa, use: Use) -> None:
    credential = ca.credential(PARTY, use.value)
    leaf, authority = load_pem_chain(credential.chain_file.read_bytes())

    vetted = TrustStore(material_of(ca)).vet(leaf, uses=frozenset({use}), at_us=NOW_US)

    assert vetted.identity == Identity(party=PARTY, use=use, name="1")
    assert authority == ca.authority_der
    assert load_tls_key(reference(credential)).reveal()


def test_its_log_keys_sign_heads(ca: DevelopmentCa) -> None:
    pair = [ca.log_key(PARTY, "head", name) for name in ("ed25519", "ml-dsa-44")]

    signers = head_signers("example.org/log", *load_log_keys(*map(reference, pair)))

    assert all(credential.public_file.exists() for credential in pair)
    assert [signers[0].key.name, signers[1].key.name] == ["example.org/log"] * 2


def test_only_the_owner_reads_keys(ca: DevelopmentCa) -> None:
    secret = [*ca.directory.rglob("*.key"), *ca.directory.rglob("*.pass")]

    assert len(secret) == 2 * (2 + 2 * (3 + len(PERSONS) + 4))
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    for path in ca.directory.rglob("*.key"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.refusal("SEAL_FORGED")
def test_what_it_revokes_is_revoked(tmp_path: Path) -> None:
    ca = DevelopmentCa.create(tmp_path, [PARTY], now=NOW)
    credential = ca.credential(PARTY, "person", "first")
    sealer = sealer_of(credential)

    DevelopmentCa.open(tmp_path).revoke_file(credential.chain_file, at=NOW)

    court = court_of(material_of(ca), [sealer])
    assert forged_at(alone(sealer), court) == "7"
    verify_seals(alone(sealer), replace(court, at_us=NOW_US - 1))


@pytest.mark.refusal("SEAL_FORGED")
def test_it_revokes_its_authority(tmp_path: Path) -> None:
    ca = DevelopmentCa.create(tmp_path, [PARTY], now=NOW)
    sealer = sealer_of(ca.credential(PARTY, "institution"))

    ca.revoke(ca.authority.certificate, at=NOW)

    court = court_of(material_of(ca), [sealer])
    assert forged_at(alone(sealer), court) == "7"


def test_it_does_not_overwrite_another(ca: DevelopmentCa) -> None:
    with pytest.raises(FileExistsError):
        DevelopmentCa.create(ca.directory, now=NOW)


def test_opened_again_it_goes_on(tmp_path: Path) -> None:
    ca = DevelopmentCa.create(tmp_path, now=NOW)
    again = DevelopmentCa.open(ca.directory)

    credential = again.issue(PARTY, "person", "new", now=NOW)

    sealer = sealer_of(credential)
    verify_seals(alone(sealer), court_of(material_of(ca), [sealer]))


def test_the_command_makes_parties_and_revokes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pki"
    made = main(["--out", str(out), "--party", f"{PARTY}:finance"])
    added = main(["--out", str(out), "--party", "420000-001"])
    person = out / PARTY / "person-first.pem"
    revoked = main(["--out", str(out), "--revoke", str(person)])
    missing = main(["--out", str(out), "--revoke", str(tmp_path / "none.pem")])

    assert (made, added, revoked, missing) == (0, 0, 0, 1)
    assert "none.pem" in capsys.readouterr().err
    assert (out / "420000-001/gateway-1.pem").exists()
    assert len((out / "revoked.json").read_text().split("serial")) == 2


def test_the_command_can_be_run() -> None:
    root = Path(__file__).parents[3]

    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.devca", "--help"],
        cwd=root / "clients",
        capture_output=True,
        text=True,
        check=True,
    )

    assert "never for real use" in done.stdout


@pytest.mark.parametrize("party", ["../x", "420000", "420000-011:Finance", ""])
def test_the_command_refuses_what_names_no_party(
    tmp_path: Path, party: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--out", str(tmp_path / "pki"), "--party", party])

    assert caught.value.code == 2
    assert "not a party code" in capsys.readouterr().err


def test_it_stands_alone() -> None:
    program = (
        "import sys, counterfoil.devca.cli;"
        "print([m for m in sys.modules if m.startswith('counterfoil.')"
        " and not m.startswith(('counterfoil.devca', 'counterfoil.sm2'))])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root / "clients",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


def test_the_root_is_not_among_what_peers_are_sent(ca: DevelopmentCa) -> None:
    pem = ca.credential(PARTY, "gateway").chain_file.read_bytes()

    assert ca.root.certificate.public_bytes(Encoding.PEM) not in pem
