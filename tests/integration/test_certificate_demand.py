"""Where it is demanded, nobody acts with a certificate that was not put to use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.daemon import cli
from counterfoil.daemon.alerts import AlertCode
from counterfoil.devca.certificates import Validity
from counterfoil.devca.credential import Credential
from counterfoil.office import DeskRefused, matters, registering
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import accept_at, issue, until
from tests.integration.papers import Papers
from tests.integration.test_register import connection, registers, run, urn

pytestmark = pytest.mark.slow

HOLDERS = (
    ("system", "1"),
    *(("person", name) for name in ("first", "second", "officer", "archivist")),
    *(("person", name) for name in ("manager", "supervisor")),
)


def steps(
    town: Town, credential: Credential, holder: str, number: str
) -> list[registering.SignedRegistration]:
    """Return what puts a certificate to use, signed."""
    now = datetime.now(UTC)
    certificate = credential.certificate
    key = certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    manager, officer = (town.person(FINANCE, name) for name in ("manager", "officer"))

    def made(
        what: str, matter: matters.Matter, signer: object
    ) -> registering.SignedRegistration:
        unsigned = registering.registration(
            FINANCE, f"{what}-{number}", matter, stated_time=now
        )
        assert signer in {manager, officer}
        who = manager if signer is manager else officer
        return unsigned.signed(who, stated_time=now)

    applied = made("apply", matters.certificate_application(holder, key), manager)
    approved = made("approve", matters.certificate_approval(applied.digest), officer)
    der = certificate.public_bytes(Encoding.DER)
    used = made("use", matters.certificate_activation(applied.digest, der), manager)
    return [applied, approved, used]


def write_down(
    town: Town, file: Path, signed: Sequence[registering.SignedRegistration]
) -> None:
    signers = [town.person(FINANCE, name) for name in ("manager", "officer")]
    certificates = [one.certificate for one in signers]
    file.write_bytes(registering.registration_file(signed, certificates))


async def hand_in(
    town: Town, file: Path, signed: Sequence[registering.SignedRegistration]
) -> int:
    write_down(town, file, signed)
    return await run(
        "register", "submit", str(file), *connection(town, FINANCE, "officer")
    )


async def demanded(town: Town, file: Path) -> int:
    return await registers(town, file, "demand", "officer", "supervisor")


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("CERTIFICATES_MISSING", "CERTIFICATE_NOT_ACTIVE")
async def test_a_certificate_counts_when_it_was_put_to_use_and_no_sooner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = Town(directory=tmp_path / "town"), Papers()
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        assert await demanded(town, tmp_path / "early") == 1
        assert "CERTIFICATES_MISSING" in capsys.readouterr().err
        signed = [
            one
            for use, name in HOLDERS
            for one in steps(
                town, town.ca.credential(FINANCE, use, name), urn(FINANCE, use, name),
                f"{use}-{name}",
            )
        ]  # fmt: skip
        assert await hand_in(town, tmp_path / "all", signed) == cli.DONE
        # A certificate of the same person that nobody applied for, and its stream.
        old = town.access(FINANCE, "person", "archivist")
        new = town.ca.issue(FINANCE, "person", "archivist", now=datetime.now(UTC))
        stray = town.desk(FINANCE, "person", "first", total_s=5.0)
        town.ca.issue(FINANCE, "person", "second", now=datetime.now(UTC))
        second = town.desk(FINANCE, "person", "second", total_s=5.0)
        watching = asyncio.ensure_future(anext(second.watch(idle_s=20.0)))
        await asyncio.sleep(0.3)

        assert await demanded(town, tmp_path / "demand") == cli.DONE

        with pytest.raises(DeskRefused) as cut:
            await watching
        assert cut.value.reason == "CERTIFICATE_NOT_ACTIVE"
        with pytest.raises(DeskRefused) as caught:
            async with town.desk(FINANCE, "person", "archivist") as desk:
                await desk.search()
        assert caught.value.reason == "CERTIFICATE_NOT_ACTIVE"
        assert old.certificate != new.chain_file.read_bytes()
        await stray.search()
        # The unit that is hosted here demands nothing.
        async with town.desk(UNIT, "person", "first") as desk:
            await desk.search()

        renewed = [
            one
            for name in ("archivist", "second")
            for one in steps(
                town, town.ca.credential(FINANCE, "person", name),
                urn(FINANCE, "person", name), f"again-{name}",
            )
        ]  # fmt: skip
        assert await hand_in(town, tmp_path / "renewed", renewed) == cli.DONE

        async with town.desk(FINANCE, "person", "archivist") as desk:
            await desk.search()
        issued = await issue(town, papers.direct_payment())
        await accept_at(bank, issued.reference)
        await stray.close()
        await second.close()
        capsys.readouterr()
        show = ("register", "show", *connection(town, FINANCE, "officer"))
        assert await run(*show) == cli.DONE
        shown = capsys.readouterr().out
        assert f"demand\t{FINANCE}\n" in shown
        assert f"\tin-use\t{urn(FINANCE, 'person', 'archivist')}\t" in shown
        assert len(gateways[FINANCE]._vault.register.active) == 9
    capsys.readouterr()
    verify = ("vault", "verify", "--config", str(town.file(FINANCE)))
    assert await run(*verify) == cli.DONE
    assert ": no findings" in capsys.readouterr().err


@pytest.mark.clause("hubei-13")
async def test_the_gateway_tells_whose_certificate_ends_soon(tmp_path: Path) -> None:
    town = Town(directory=tmp_path / "town")
    now = datetime.now(UTC)
    soon = Validity(now - timedelta(days=1), now + timedelta(days=59))
    town.ca.issue(FINANCE, "person", "first", now=now, validity=soon)
    town.initialise(FINANCE)
    holder = urn(FINANCE, "person", "first")
    card = town.ca.credential(FINANCE, "person", "first")
    async with running(town, FINANCE) as gateways:
        signed = steps(town, card, holder, "first")
        assert await hand_in(town, tmp_path / "first", signed) == cli.DONE
        alerts = gateways[FINANCE]._alerts

        async def about() -> list[str]:
            return alerts.about(AlertCode.CERTIFICATE_EXPIRING)

        (told,) = await until(about, bool)
        assert told.startswith(f"{holder} ")
        of = ("--of", str(card.chain_file))
        revoked = await registers(
            town, tmp_path / "gone", "revoke", "officer", "supervisor", *of
        )
        assert revoked == cli.DONE
        await until(about, lambda rows: not rows)
