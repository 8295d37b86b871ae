"""Phone numbers are judged by their countries' plans, with and without the country's code."""

from __future__ import annotations

import pytest

from headgate.checks.detection.numbering_plan import REGIONS, is_international, national


@pytest.mark.parametrize(
    "digits",
    [
        "12127365000",
        "442079460958",
        "493020934567",
        "49015123456789",
        "8613812345678",
        "390669812345",
    ],
)
def test_a_code_and_a_number_of_its_country(digits):
    assert is_international(digits)


@pytest.mark.parametrize(
    "digits", ["11112223333", "999123456789", "49", "4412", "0", "8600000000000"]
)
def test_no_such_code_or_no_such_number(digits):
    assert not is_international(digits)


@pytest.mark.parametrize(
    ("region", "dialled", "not_dialled"),
    [
        ("DE", "03020934567", "3020934567"),
        ("GB", "02079460958", "2079460958"),
        ("US", "2127365000", "1112223333"),
        ("US", "12127365000", "22127365000"),
        ("CN", "13812345678", "23812345678"),
        ("BR", "11987654321", "00987654321"),
        ("IT", "3471234567", "1471234567"),
    ],
)
def test_a_number_as_it_is_dialled_within_a_country(region, dialled, not_dialled):
    is_dialled = national([region])
    assert is_dialled(dialled)
    assert not is_dialled(not_dialled)


def test_every_region_has_a_plan():
    for region in {region for regions in REGIONS.values() for region in regions}:
        assert not national([region])("")
        assert not national([region])("0000000000")
