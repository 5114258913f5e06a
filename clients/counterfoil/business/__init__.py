"""What the reference business systems have in common beside the office SDK.

* `books`: books in a database, and how they are written.
* `outcomes`: what the gateway's answers mean for a system that may ask twice.
* `program`: how their commands run, stop, and say what ended them.
"""
