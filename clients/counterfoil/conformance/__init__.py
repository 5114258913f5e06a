"""Judges any gateway through its public services, as a peer and its own people see it.

`counterfoil-conformance` plays the gateway of another institution. It needs an address,
certificates and one kind of voucher that both parties exchange; what the gateway is
written in, it does not ask. Nothing of our own gateway is used to judge: the contract's
stubs, cryptography, the office SDK's seals and the public formats of logs.

* `target`: the file that says which gateway, and who we are.
* `checks`, `verdicts`: what a check is, and how one ends.
* `bench`, `desks`: connections, calls and deliveries.
* `papers`, `forgeries`: documents, sound and unsound. `strangers`: keys nobody knows.
* `leaves`: what leaves of logs must be.
* `arrivals`: an answer's proof, checked with leaves that are computed here.
* `refusals`: what every refusal must carry.
* `registrar`, `scopes`: registrations of the peer, signed and delivered. `spares`:
  seals that are made void.
* `peer_log`, `listening`: a log of the peer, and the one who shows it. `entered`,
  `lateness`: vouchers that stand in it and come late.
* `tls`, `services`, `taking`, `seals`, `contents`, `bounds`, `log`, `sm3_tree`,
  `progress`, `callers`, `agreements`, `filings`, `losses`, `late`, `own_matters`: the
  checks.
* `suite`, `report`, `cli`: running them and telling what came of it.
"""
