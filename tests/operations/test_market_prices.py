"""Prices of the market in words."""

import pytest

from tobo.operations.market import price_of


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ({}, "free"),
        ({"Currency": "USD", "PerInstanceHour": 0.0}, "free"),
        ({"PerInstanceHour": 0.4, "PerInference": 0.0002}, "$0.40 an instance hour + $0.0002 an inference"),
        ({"PerInstanceHour": 1500}, "$1500.00 an instance hour"),
        ({"PerInference": 1e-9}, "$1e-09 an inference"),
        ({"PerInference": 123456.789}, "$123456.789 an inference"),
    ],
)
def test_a_price_is_said_with_cents_and_no_digit_is_lost(price: dict[str, float], words: str) -> None:
    assert price_of(price) == words
