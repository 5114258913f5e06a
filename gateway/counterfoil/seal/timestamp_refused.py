"""Why an answer of a time-stamping authority is refused."""

from __future__ import annotations

from enum import Enum


class TimeStampFlaw(Enum):
    """What is wrong with an answer; the names are stable, the texts are not."""

    UNREADABLE = ("it is no answer that can be read", "应答无法解析")
    NOT_GRANTED = ("the authority gives no time stamp", "时间戳服务机构未签发")
    ALGORITHM = ("a hash in it is weaker than SHA-256", "散列算法弱于 SHA-256")
    IMPRINT = ("it is about something else than what was asked", "时间戳与所求数据不符")
    NONCE = ("it answers another question", "应答与请求不符")
    POLICY = ("it was given under another policy", "时间戳策略不符")
    ACCURACY = ("it is less accurate than is demanded", "时间戳精度不足")
    CLOCK = ("its time is too far from our clock", "时间戳时间与本机时钟相差过大")
    SIGNER = ("its signer is not named, or not as it must be", "时间戳签名者标识不符")
    SIGNATURE = ("its signature does not hold", "时间戳签名无效")
    CERTIFICATE = (
        "its signer's certificate is not for time stamps, or leads to no trusted root",
        "时间戳证书不可信",
    )
    REVOKED = ("its signer's certificate is revoked", "时间戳证书已吊销")
    REVOCATION = (
        "no list says whether its signer's certificate is revoked",
        "无法确认时间戳证书是否已吊销",
    )


class TimeStampRefused(Exception):
    """A time stamp that nothing may rest on.

    Args:
        flaw: Why.
        detail: What exactly, for people; quotes no secret.
    """

    def __init__(self, flaw: TimeStampFlaw, detail: str = "") -> None:
        english, chinese = flaw.value
        text = f"{flaw.name}: {english} ({chinese})"
        super().__init__(f"{text}: {detail}" if detail else text)
        self.flaw = flaw
