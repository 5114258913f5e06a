"""Alerts are written whole, whoever saves them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from counterfoil.daemon.alerts import FILE, AlertCode, Alerts, read_watch_file, told_of


def test_watches_that_save_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    alerts = Alerts.load(tmp_path)
    alerts.open(AlertCode.SCRUB_FAILED, "scrub", "a test")

    def save(number: int) -> None:
        alerts.note(f"watch-{number}", {"n": number})
        alerts.save()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(save, range(200)))

    opened, watches = read_watch_file(tmp_path / FILE)
    assert [one["code"] for one in opened.values()] == ["SCRUB_FAILED"]
    assert len(watches) == 200


def test_an_alert_says_what_it_is_about(tmp_path: Path) -> None:
    alerts = Alerts.load(tmp_path)
    detail = "registered with other heads"
    alerts.open(AlertCode.CONFIGURATION_CONTRADICTED, "peer 420000-011", detail)
    alerts.open(AlertCode.SCRUB_FAILED, "scrub", "the scrub failed")
    alerts.save()

    opened, _ = read_watch_file(tmp_path / FILE)

    assert [told_of(one) for one in opened.values()] == [
        "registered with other heads (peer 420000-011)",
        "the scrub failed",
    ]
