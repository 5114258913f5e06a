"""One business day of a province in miniature, above the reference business systems.

`counterfoil-day` starts every gateway and every business system as a process on this
machine, lets the flows of articles 25 to 29 take place, kills a gateway in the middle,
and at the end compares every number that two or more parties know.

Who and what, as data:

* `cast`: the institutions.
* `plan`: how much happens; one number scales it.
* `phases`, `programme`: what is ordered, what must come, what must then hold; in order.
* `lines`: which numbers of which parties must be equal.

What has to be there before:

* `stage`, `gateways`, `systems`: where files stand; configurations.
* `material`: finance's national files, allotments and appropriations.
* `opening`: makes all of it in an empty directory.

The day itself:

* `living`: programs start, phase follows phase, programs end.
* `programs`: starting, hearing, killing and ending programs.
* `commands`, `counter`: what people order beside the running systems.
* `alarms`: what is late by the systems' own alerts, and what is meant to be.
* `pace`: how often it is looked whether a phase is over.
* `rest`: whether anybody still has something to do.
* `usage`, `cost`: CPU and memory of every program, stage by stage.

And whether all of it agrees:

* `accounts`, `balance`: the balance sheet, from the parties' own books.
* `carried`, `records`, `boxes`, `vaults`: vouchers by way, from books, ledgers, vaults.
* `final_check`: names everything that does not agree.
* `faults`: plants one fault, to show that it is found.
* `evidence`, `report`, `screen`: what a person sees.
* `cli`: the command.
"""
