"""A hundred phones, over real HTTP, on this machine; and what the command says of its figures."""

import pytest

from tests.poll.__main__ import BUDGET, VOTERS, WITHIN, faults, measure

FINE = {
    "errors": [],
    "voters": 100,
    "votes_counted": [100, 100],
    "milliseconds": {"vote": {"p95": BUDGET}},
}


def test_what_is_not_as_it_should_be_is_said():
    assert faults(FINE) == []
    for wrong in (
        {"errors": ["RuntimeError: 409"]},
        {"votes_counted": [100, 99]},
        {"milliseconds": {"vote": {"p95": BUDGET + 0.1}}},
        {"milliseconds": {}},
    ):
        assert len(faults({**FINE, **wrong})) == 1


@pytest.mark.slow
def test_a_hundred_phones_vote_within_ten_seconds():
    assert faults(measure(VOTERS, WITHIN)) == []
