"""What the app and the command line offer is what can be trained."""

import pytest

from ad_core.catalogue import default_method, kind_of, methods, unfit_methods
from ad_core.errors import MethodError
from ad_core.types import Modality


@pytest.mark.parametrize("modality", Modality)
def test_every_card_carries_the_name_that_training_takes(modality):
    cards = [card for card in methods(modality) if card.kind != "scorer"]

    assert cards
    assert {card.name: kind_of(card.name, modality) for card in cards} == {card.name: card.kind for card in cards}


@pytest.mark.parametrize("modality", Modality)
def test_the_default_has_a_card(modality):
    assert default_method(modality) in {card.name for card in methods(modality)}


def test_a_wrong_name_is_answered_with_recipes_too():
    with pytest.raises(MethodError, match="There is: balanced, autoencoder"):
        kind_of("ballanced", Modality.TABLE)


def test_a_puzzle_that_makes_no_sense_for_a_kind_of_data_says_why_and_is_not_offered():
    unfit = {card.name: card.not_for for card in unfit_methods(Modality.TABLE)}

    assert unfit["jigsaw"][Modality.TABLE].endswith(".")
    assert not set(unfit) & {card.name for card in methods(Modality.TABLE)}
    assert "jigsaw" not in {card.name for card in unfit_methods(Modality.IMAGE)}
