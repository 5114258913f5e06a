"""Translation at the edge: protobuf, national XML and refusals, to and from values.

Nothing here decides. What comes in is checked against the contract and becomes a
form or a domain value; what goes out is written as the contract says.
"""
