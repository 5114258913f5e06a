"""Finding places in DER."""

import pytest

from counterfoil.sm2.der import BIT_STRING, SEQUENCE, element, elements, inside


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_what_is_put_together_is_taken_apart(size: int) -> None:
    content = bytes(size)

    made = element(SEQUENCE, content) + element(BIT_STRING, b"\0x")

    first, second = elements(made)
    assert (first.tag, first.content) == (SEQUENCE, content)
    assert first.encoded + second.encoded == made
    assert inside(first.encoded) == content


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("30", "cut off"),
        ("3001", "cut off"),
        ("30820001", "cut off|shortest"),
        ("3081", "cannot be read"),
        ("3080", "cannot be read"),
        ("30850000000001", "cannot be read"),
        ("308101ff", "shortest"),
        ("30820080" + "00" * 128, "shortest"),
    ],
)
def test_a_length_that_does_not_fit_is_refused(encoded: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        elements(bytes.fromhex(encoded))


@pytest.mark.parametrize("encoded", ["", "0300", "30003000"])
def test_another_element_than_expected_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="another element"):
        inside(bytes.fromhex(encoded))
