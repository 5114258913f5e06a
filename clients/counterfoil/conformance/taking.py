"""Checks of what becomes of sound vouchers: taken once, and proved."""

from __future__ import annotations

from typing import Final

from counterfoil.conformance.arrivals import (
    arrival_leaf,
    head_of,
    prove_leaf,
    prove_range,
)
from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.refusals import words
from counterfoil.conformance.verdicts import require
from counterfoil.exchange.v1 import exchange_pb2 as pb

_DELIVER: Final = "exchange.v1.ExchangeService.Deliver"
_PLACES: Final = 3


@check(
    301,
    "A sound voucher that both parties exchange is taken.",
    "双方约定的合格凭证被接收。",
    clause="hubei-19b",
    contract=_DELIVER,
)
async def _takes(bench: Bench) -> None:
    answer = await bench.take([bench.papers.paper()])
    require(answer.batch == 1, f"batch 1 was answered as batch {answer.batch}")
    require(answer.new_count == 1, f"new_count is {answer.new_count}, not 1")


@check(
    302,
    "Arrivals are proved: signed checkpoint and range proof of leaves computed here.",
    "接收有据可证：签名检查点，以及按此处自算叶子的区间证明。",
    clause="hubei-7",
    contract="exchange.v1.DeliverResponse",
)
async def _proves_arrivals(bench: Bench) -> None:
    # Before and behind, so that no proof is of a tree's edge only.
    for number in (1, _PLACES, 2):
        papers = bench.papers.papers(number)
        prove_range(bench.target, await bench.take(papers), papers)


@check(
    303,
    "Each leaf of an arrival is proved alone, and is the document's own.",
    "每次接收的叶子可单独证明，且正是该文书的叶子。",
    clause="hubei-7",
    contract="exchange.v1.ExchangeService.GetProof",
)
async def _proves_leaves(bench: Bench) -> None:
    papers = bench.papers.papers(_PLACES)
    answer = await bench.take(papers)
    async with bench.exchange() as stub:
        for index, paper in enumerate(papers, answer.first_leaf):
            asked = pb.GetProofRequest(leaf=index)
            proof = await answered(stub.GetProof(asked, timeout=CALL_S))
            leaf = arrival_leaf(paper, bench.target.peer, answer.arrival_time)
            prove_leaf(head_of(bench.target, proof.checkpoint), index, leaf, proof)


@check(
    304,
    "The same bytes again are answered with their first place and time.",
    "相同字节再次送达，答以首次的位置和时间。",
    clause="hubei-19b",
    contract="exchange.v1.Known",
)
async def _knows_what_it_has(bench: Bench) -> None:
    papers = bench.papers.papers(_PLACES)
    first = await bench.take(papers)
    again = await bench.deliver(papers)
    require(words(again) == ["known"] * _PLACES, f"they were {words(again)}")
    require(not again.new_count, f"new_count is {again.new_count}, not 0")
    for index, one in enumerate(again.outcomes, first.first_leaf):
        require(one.known.leaf == index, "it has another place now")
        same = one.known.arrival_time == first.arrival_time
        require(same, "it has another arrival time now")


@check(
    305,
    "A document that stands twice in a batch is stored once.",
    "同一批次中出现两次的文书只入库一次。",
    clause="hubei-19b",
    contract="exchange.v1.Outcome",
)
async def _stores_once(bench: Bench) -> None:
    paper = bench.papers.paper()
    answer = await bench.deliver([paper, paper])
    require(words(answer) == ["stored", "known"], f"they were {words(answer)}")
    require(
        answer.outcomes[1].known.leaf == answer.first_leaf,
        "the second has its own leaf",
    )
    prove_range(bench.target, answer, [paper])


@check(
    306,
    "A recorded stream changes nothing when replayed, reordered or spliced.",
    "录下的流重放、换序、拼接，都不改变任何东西。",
    clause="hubei-9",
    contract=_DELIVER,
)
async def _takes_no_replay(bench: Bench) -> None:
    papers = [bench.papers.paper().sealed for _ in range(4)]
    one, other = bench.request(papers[:2], 1), bench.request(papers[2:], 2)
    for answer in await bench.stream([one, other]):
        require(words(answer) == ["stored"] * 2, f"they were {words(answer)}")
    spliced = bench.request([papers[3], papers[0]], 1)
    for recorded in ([one, other], [other, one], [spliced]):
        for answer in await bench.stream(recorded):
            require(words(answer) == ["known"] * 2, f"again they were {words(answer)}")
            require(not answer.new_count, "a replayed document is counted as new")


@check(
    307,
    "Batches of one stream are answered one by one, in their order.",
    "同一个流的各批次依次逐一应答。",
    clause="hubei-19b",
    contract="exchange.v1.DeliverResponse.batch",
)
async def _answers_in_order(bench: Bench) -> None:
    papers = bench.papers.papers(6)
    requests = [
        bench.request([paper.sealed], number) for number, paper in enumerate(papers, 1)
    ]
    answers = await bench.stream(requests)
    numbers = [answer.batch for answer in answers]
    require(numbers == list(range(1, 7)), f"the answers are for batches {numbers}")
    for answer, paper in zip(answers, papers, strict=True):
        prove_range(bench.target, answer, [paper])


@check(
    308,
    "A bad document is refused alone; the others of its batch are taken and proved.",
    "不合格的文书单独被拒，同批其他文书照常接收并可证明。",
    clause="hubei-19b",
    contract="exchange.v1.Outcome",
)
async def _refuses_alone(bench: Bench) -> None:
    first, second = bench.papers.papers(2)
    answer = await bench.deliver([first, b"no document at all", second])
    told = words(answer)
    expected = ["stored", "MALFORMED_PAYLOAD", "stored"]
    require(told == expected, f"they were {told}, not {expected}")
    prove_range(bench.target, answer, [first, second])


CHECKS: Final[tuple[Check, ...]] = (
    _takes,
    _proves_arrivals,
    _proves_leaves,
    _knows_what_it_has,
    _stores_once,
    _takes_no_replay,
    _answers_in_order,
    _refuses_alone,
)
