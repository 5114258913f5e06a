"""What a day cost: rates over all stages, CPU for each payment."""

from __future__ import annotations

from counterfoil.day.cost import Cost

COST = Cost(
    payments=10,
    vouchers=30,
    seconds={"pay": 4.0, "clear": 1.0},
    cpu_s={("bank", "pay"): 2.0, ("bank", "clear"): 1.0, ("unit", "pay"): 9.0},
    peak_bytes={"bank": 1, "unit": 1},
)


def test_rates_are_over_all_stages() -> None:
    assert COST.rate == 2.0
    assert COST.rate_of_all == 6.0


def test_cpu_is_told_for_each_payment_in_one_stage_or_all() -> None:
    assert COST.cpu_us("bank", "pay") == 200_000
    assert COST.cpu_us("bank") == 300_000
    assert COST.cpu_us() == 1_200_000
    assert COST.cpu_us(stage="pay") == 1_100_000
    assert COST.stages == ("pay", "clear")
