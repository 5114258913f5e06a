"""Persons with certificates of a national authority, on running gateways (人员名录)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon import cli
from counterfoil.day.founding import Founders
from counterfoil.devca.credential import Credential
from counterfoil.domain.deeds import Recorded
from counterfoil.office import DeskRefused, Person, Standing, matters, registering
from counterfoil.office.errors import Unreachable
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import (
    accept_at,
    done,
    issue,
    reaches,
    refused,
    review,
    submit,
    until,
    write,
)
from tests.integration.foreign import ForeignCa
from tests.integration.papers import Papers, notice
from tests.integration.test_register import becomes, connection, registers, run, urn

pytestmark = pytest.mark.slow


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A town that is not initialised yet, with quick lanes."""
    return Town(
        directory=tmp_path / "town",
        settings={
            "limits": "retry_s_min = 0.05\nretry_s_max = 0.3",
            "trust": "reload_s = 0.1",
        },
    )


@pytest.fixture
def national(town: Town) -> ForeignCa:
    return ForeignCa.trusted_in(town)


@pytest.fixture
def papers() -> Papers:
    return Papers()


async def names(
    town: Town,
    file: Path,
    credential: Credential,
    holder: str,
    *told: str,
    by: str = FINANCE,
    matter: str = "name",
) -> int:
    """Let officer and supervisor name a certificate; return the exit status."""
    options = ["--of", str(credential.chain_file)]
    if matter == "name":
        options += ["--holder", holder]
    if told:
        options += ["--told", ",".join(told)]
    return await registers(town, file, matter, "officer", "supervisor", *options, by=by)


async def verified(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that the vaults of all gateways, which stand, prove right."""
    capsys.readouterr()
    for party in town.carriers:
        verify = ("vault", "verify", "--config", str(town.file(party)))
        assert await run(*verify) == cli.DONE
    assert capsys.readouterr().err.count(": no findings") == len(town.carriers)


@pytest.mark.clause("hubei-11", "hubei-13")
@pytest.mark.refusal("CALLER_UNKNOWN", "SIGNER_UNLISTED")
async def test_a_reviewer_with_a_national_certificate_seals_for_both_sides(
    town: Town,
    national: ForeignCa,
    papers: Papers,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = national.issue(FINANCE, "person", "first")
    holder = urn(FINANCE, "person", "first")
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        # Nobody before the directory names it.
        async with town.desk(FINANCE, "person", "first") as desk:
            with pytest.raises(DeskRefused) as caught:
                await desk.search()
        assert caught.value.reason == "CALLER_UNKNOWN"

        assert await names(town, tmp_path / "n", card, holder) == cli.DONE

        # Here at once; the bank was not told and waits for it.
        issued = await issue(town, papers.direct_payment())
        lane = gateways[FINANCE].lanes[0]

        async def reason() -> str:
            return lane.view().last_reason

        await until(reason, lambda told: told == "SIGNER_UNLISTED")
        assert gateways[BANK]._vault.register.names() == {}

        assert await names(town, tmp_path / "t", card, holder, BANK) == cli.DONE

        voucher = await accept_at(bank, issued.reference)
        assert voucher == issued.voucher
        (told,) = gateways[BANK]._vault.register.names().values()
        assert told.to_urn() == holder
        capsys.readouterr()
        assert await run("register", "show", *connection(town, BANK, "officer")) == 0
        digest = next(iter(gateways[BANK]._vault.register.names())).hex()
        assert f"directory\t{digest}\t{holder}\t" in capsys.readouterr().out
    await verified(town, capsys)
    # And what stands registered follows from the log alone.
    async with running(town) as again:
        assert [
            one._vault.register.name_of(bytes.fromhex(digest)) for one in again.values()
        ] == [told, told]
        second = await issue(town, papers.direct_payment())
        async with town.desk(BANK) as bank:
            await accept_at(bank, second.reference)


@pytest.mark.clause("hubei-13")
async def test_an_entry_and_a_voucher_may_go_one_behind_the_other(
    town: Town, national: ForeignCa, papers: Papers, tmp_path: Path
) -> None:
    card = national.issue(FINANCE, "person", "first")
    holder = urn(FINANCE, "person", "first")
    town.initialise()
    async with running(town, FINANCE):
        assert await names(town, tmp_path / "n", card, holder, BANK) == cli.DONE
        issued = [await issue(town, papers.direct_payment()) for _ in range(3)]
    # All of it waits in one lane, and comes in one batch.
    async with running(town), town.desk(BANK) as bank:
        for one in issued:
            await accept_at(bank, one.reference)


@pytest.mark.clause("hubei-13", "hubei-14")
@pytest.mark.refusal("CALLER_UNKNOWN", "CERTIFICATE_LOST", "SIGNER_UNLISTED")
async def test_whose_name_is_taken_or_card_is_lost_is_nobody_at_once(
    town: Town, national: ForeignCa, papers: Papers, tmp_path: Path
) -> None:
    cards = {
        name: national.issue(FINANCE, "person", name) for name in ("first", "second")
    }
    town.initialise()
    async with running(town) as gateways:
        for name, card in cards.items():
            holder = urn(FINANCE, "person", name)
            assert await names(town, tmp_path / name, card, holder, BANK) == cli.DONE
        async with town.desk(FINANCE) as desk:
            issued = await write(desk, papers.direct_payment())
            await review(town, issued)
            first = town.desk(FINANCE, "person", "first", total_s=5.0)
            second = town.desk(FINANCE, "person", "second", total_s=5.0)
            watching = [
                asyncio.ensure_future(anext(one.watch(idle_s=20.0)))
                for one in (first, second)
            ]
            await asyncio.sleep(0.3)

            gone = await names(
                town, tmp_path / "g", cards["first"], "", BANK, matter="unname"
            )
            lost = await registers(
                town, tmp_path / "l", "lose", "officer", "",
                "--of", str(cards["second"].chain_file), "--told", BANK,
            )  # fmt: skip

            assert (gone, lost) == (cli.DONE, cli.DONE)
            reasons = []
            for one in watching:
                with pytest.raises(DeskRefused) as cut:
                    await one
                reasons.append(cut.value.reason)
            assert reasons == ["CALLER_UNKNOWN", "CERTIFICATE_LOST"]
            # The security officer sees the one by name, the other as a stranger.
            refusals = gateways[FINANCE]._guard.sightings.refusals()
            seen = {(row.identity, row.reason) for row in refusals}
            assert (urn(FINANCE, "person", "second"), "CERTIFICATE_LOST") in seen
            assert ("CN=nobody", "CALLER_UNKNOWN") in seen
            # What they sealed and what is not sent yet, is not sealed any more.
            (outcome,) = await desk.seal([issued.reference.digest], send=True)
            assert refused(outcome) == "SIGNER_UNLISTED"
            await first.close()
            await second.close()
        theirs = gateways[BANK]
        await becomes(theirs, lambda now: len(now.names()) == 1 and bool(now.voided))


@pytest.mark.clause("hubei-11", "hubei-13")
@pytest.mark.refusal("MATTER_FOREIGN", "IDENTITY_AMBIGUOUS", "FORM_REFUSED")
@pytest.mark.refusal("NOT_REGISTERED", "SIGNERS_REFUSED")
async def test_what_no_directory_may_say_is_refused(
    town: Town,
    national: ForeignCa,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = national.issue(FINANCE, "person", "first")
    stated = national.issue(
        FINANCE, "person", "second", stated=urn(BANK, "person", "x")
    )
    town.initialise()
    numbers = iter(range(99))

    async def refusal(credential: Credential, holder: str, **how: str) -> str:
        capsys.readouterr()
        file = tmp_path / f"r{next(numbers)}"
        assert await names(town, file, credential, holder, **how) == 1
        return capsys.readouterr().err

    first = urn(FINANCE, "person", "first")
    async with running(town, FINANCE) as gateways:
        assert "MATTER_FOREIGN" in await refusal(card, urn(BANK, "person", "first"))
        for holder in (urn(FINANCE, "person", "second"), urn(BANK, "person", "x")):
            said = await refusal(stated, holder)
            assert "FORM_REFUSED" in said
        own = town.ca.credential(FINANCE, "person", "archivist")
        assert "FORM_REFUSED" in await refusal(own, first)
        assert "FORM_REFUSED" in await refusal(card, urn(FINANCE, "gateway", "1"))
        assert "NOT_REGISTERED" in await refusal(card, "", matter="unname")
        alone = ("--of", str(card.chain_file), "--holder", first)
        one = await registers(town, tmp_path / "alone", "name", "officer", "", *alone)
        assert one == 1
        assert "SIGNERS_REFUSED" in capsys.readouterr().err
        assert gateways[FINANCE]._vault.register.names() == {}

        assert await names(town, tmp_path / "good", card, first) == cli.DONE
        other = urn(FINANCE, "person", "other")
        assert "IDENTITY_AMBIGUOUS" in await refusal(card, other)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("CALLER_REVOKED")
async def test_a_directory_gives_a_name_and_no_trust(
    town: Town, national: ForeignCa, tmp_path: Path
) -> None:
    # Of a root that this gateway does not trust, expired, and revoked.
    stranger = Town(directory=tmp_path / "elsewhere", carriers=(BANK,))
    other = ForeignCa.trusted_in(stranger, "other")
    cards = {
        "first": ForeignCa(town, "other", other.root).issue(FINANCE, "person", "first"),
        "second": national.issue(FINANCE, "person", "second", days=-30),
        "archivist": national.issue(FINANCE, "person", "archivist"),
    }
    town.initialise(FINANCE)
    async with running(town, FINANCE):
        for name, card in cards.items():
            holder = urn(FINANCE, "person", name)
            assert await names(town, tmp_path / name, card, holder) == cli.DONE
        await calls(town, "archivist")
        national.revoke(cards["archivist"])
        await asyncio.sleep(0.5)
        with pytest.raises(DeskRefused) as caught:
            await calls(town, "archivist")
        assert caught.value.reason == "CALLER_REVOKED"
        for name in ("first", "second"):
            # The handshake itself refuses it, and tells no reason.
            with pytest.raises(Unreachable):
                await calls(town, name)


async def calls(town: Town, name: str) -> None:
    """Let a person of finance ask something."""
    async with town.desk(FINANCE, "person", name, total_s=3.0) as desk:
        await desk.search()


async def test_what_the_bank_lists_is_told_to_finance_only_of_its_own(
    town: Town, national: ForeignCa, tmp_path: Path
) -> None:
    card = national.issue(BANK, "institution", "1")
    holder = urn(BANK, "institution", "1")
    # The seal that finance knew when the register was opened is another one.
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        (before,) = await bank.submit([notice(1, BANK, UNIT)])
        assert refused(before) in {"CERTIFICATE_NOT_ACTIVE", "SIGNER_UNLISTED"}

        assert await names(town, tmp_path / "n", card, holder, FINANCE, by=BANK) == 0
        assert await uses(town, tmp_path, card, holder) == cli.DONE

        sent = await submit(bank, notice(2, BANK, UNIT))
        await reaches(bank, sent, Standing.ARRIVED)
        (named,) = gateways[FINANCE]._vault.register.names().values()
        assert named.to_urn() == holder
        # Taken away, nothing is sealed by it any more, on either side.
        gone = await names(
            town, tmp_path / "g", card, "", FINANCE, by=BANK, matter="unname"
        )
        assert gone == cli.DONE
        (after,) = await bank.submit([notice(3, BANK, UNIT)])
        assert refused(after) == "SIGNER_UNLISTED"
        await reaches(bank, sent, Standing.ARRIVED)
        # What arrived before is known when it is sent again after a lost answer.
        await becomes(gateways[FINANCE], lambda now: not now.names())
        way = await bank.inquire(sent.digest)
        der = card.certificate.public_bytes(Encoding.DER)
        receive = gateways[FINANCE]._services.exchange.receive
        again = await receive([way.documents[0]], [der], carrier=BANK)
        (known,) = again.outcomes
        assert isinstance(known, Recorded)
        assert not known.new


async def uses(town: Town, place: Path, card: Credential, holder: str) -> int:
    """Apply for a bank's certificate, approve and put it to use."""
    of = ("--of", str(card.chain_file))
    number = place / "applied"
    assert await registers(
        town, number, "apply", "manager", "", "--holder", holder, *of, by=BANK
    ) == cli.DONE  # fmt: skip
    (signed,), _ = registering.read_registration_file(number.read_bytes())
    about = ("--digest", signed.digest.hex())
    assert await registers(
        town, place / "approved", "approve", "officer", "", *about, by=BANK
    ) == cli.DONE  # fmt: skip
    return await registers(
        town, place / "used", "activate", "manager", "", *about, *of, by=BANK
    )


# --- opened by persons whom no certificate names ------------------------------------


def opened_by_nobody(town: Town, national: ForeignCa) -> None:
    """Let all persons of the bank, and its seal, have national certificates."""
    cards = {
        urn(BANK, "person", name): national.issue(BANK, "person", name)
        for name in ("manager", "supervisor", "officer", "first", "second")
    }
    cards[urn(BANK, "institution", "1")] = national.issue(BANK, "institution", "1")
    ders = {
        credential.certificate.public_bytes(Encoding.DER): holder
        for holder, credential in cards.items()
    }
    files = NamingFounders(town, ders).files()
    for party, file in files.items():
        town.founding(party).write_bytes(file)


class NamingFounders:
    """Makes founding files whose first names stand in the founding itself."""

    def __init__(self, town: Town, ders: dict[bytes, str]) -> None:
        self.town, self.ders = town, ders
        self.now = datetime.now(UTC)

    def files(self) -> dict[str, bytes]:
        """Return the files: the bank's with its names, finance's with what is told."""
        founders: Founders = self.town.founders()
        made = {}
        for party, encoded in founders.files().items():
            signed, certificates = registering.read_registration_file(encoded)
            if party == BANK:
                signed = [self._founding(), *signed[1:]]
            else:
                # The bank's supervisor has signed an agreement, and nobody knows him.
                signed = [self._founding(), *signed]
            certificates += [one.certificate for one in self._persons()]
            made[party] = registering.registration_file(signed, certificates)
        return made

    def _persons(self) -> list[Person]:
        return [
            self.town.person(BANK, name)
            for name in ("manager", "supervisor", "officer")
        ]

    def _founding(self) -> registering.SignedRegistration:
        manager, supervisor, _ = self._persons()
        seal = self.town.ca.credential(BANK, "institution").certificate
        matter = matters.founding(
            urn(BANK, "person", "supervisor"),
            urn(BANK, "person", "manager"),
            [seal.public_bytes(Encoding.DER)],
            self.ders,
        )
        made = registering.registration(BANK, "opening", matter, stated_time=self.now)
        return made.signed(manager, stated_time=self.now).signed(
            supervisor, stated_time=self.now
        )


@pytest.mark.clause("hubei-11", "hubei-13")
async def test_an_institution_without_a_single_name_of_ours_takes_part(
    town: Town,
    national: ForeignCa,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened_by_nobody(town, national)
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        sent = await submit(bank, notice(1, BANK, UNIT))
        await reaches(bank, sent, Standing.ARRIVED)
        for gateway in gateways.values():
            assert len(gateway._vault.register.names()) == 6
        show = ("register", "show", *connection(town, BANK, "supervisor"))
        assert await run(*show) == cli.DONE
    await verified(town, capsys)
    async with running(town), town.desk(BANK) as bank:
        sent = await submit(bank, notice(2, BANK, UNIT))
        await reaches(bank, sent, Standing.ARRIVED)
        done((await bank.submit([notice(3, BANK, UNIT)]))[0])
