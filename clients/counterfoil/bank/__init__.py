"""A reference business system of an agent bank.

It reads the vouchers that arrive at its own gateway, checks and accepts or rejects
them, pays each at most once through a (simulated) core, and answers by receipts,
returns and entry notices. Its journal says before every call of the core that the
call is about to be made, so a crash never leads to a second payment.

* `core`: the core banking system, simulated: it may refuse, or not answer.
* `journal`: our own books, and where each payment stands.
* `checks`: what a voucher must fulfil before we accept it.
* `forms`: what we fill in: receipts and entry notices.
* `teller`: takes each payment from one state to the next.
* `cli`: the command `counterfoil-bank`.
"""
