"""Every registered pretext task, on every kind of data that it says it works on, keeps the contract."""

from functools import lru_cache

import pytest

from ad_core.methods.pretext import PRETEXTS
from ad_core.types import Modality
from tests.contracts.checks import CHECKS, Case, trained

ALL = [(name, modality) for modality in Modality for name in PRETEXTS.names(modality)]


@lru_cache
def case(name: str, modality: Modality) -> Case:
    return trained(PRETEXTS.get(name), modality)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("name", "modality"), ALL)
def test_pretext_task_keeps_the_contract(name, modality, check):
    check(case(name, modality))


def test_every_kind_of_data_has_a_pretext_task():
    assert all(PRETEXTS.names(modality) for modality in Modality)
