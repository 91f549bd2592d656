"""What the app and the command line offer is what can be trained."""

import pytest

from ad_core.errors import MethodError
from ad_core.training.catalogue import DEFAULT_METHOD, encoders, kind_of, methods, unfit_methods
from ad_core.types import Modality


@pytest.mark.parametrize("modality", Modality)
def test_every_card_carries_the_name_that_training_takes(modality):
    cards = [card for card in methods(modality) if card.kind != "scorer"]

    assert cards
    assert {card.name: kind_of(card.name, modality) for card in cards} == {card.name: card.kind for card in cards}


@pytest.mark.parametrize("modality", Modality)
def test_the_default_has_a_card(modality):
    assert DEFAULT_METHOD in {card.name for card in methods(modality)}


def test_a_wrong_name_is_answered_with_recipes_too():
    with pytest.raises(MethodError, match="There is: auto, balanced, autoencoder"):
        kind_of("ballanced", Modality.TABLE)


def test_a_puzzle_that_makes_no_sense_for_a_kind_of_data_says_why_and_is_not_offered():
    unfit = {card.name: card.not_for for card in unfit_methods(Modality.TABLE)}

    assert unfit["jigsaw"][Modality.TABLE].endswith(".")
    assert not set(unfit) & {card.name for card in methods(Modality.TABLE)}
    assert "jigsaw" not in {card.name for card in unfit_methods(Modality.IMAGE)}


def test_a_pretext_task_offers_the_encoders_that_fit_with_its_usual_one_first_chosen():
    cards = {card.name: card for card in methods(Modality.IMAGE)}

    field = cards["rotation"].settings["encoder"]["properties"]["name"]
    assert field["enum"] == [card.name for card in encoders(Modality.IMAGE)]
    assert {"efficientnet_lite0", "residual_image", "vision_transformer"} <= set(field["enum"])
    assert field["default"] == "residual_image"
    assert all("encoder" not in card.settings for card in cards.values() if card.kind != "pretext")


def test_a_task_that_shows_more_than_an_image_offers_no_pretrained_encoder():
    cards = {card.name: card for card in methods(Modality.IMAGE)}
    offered = cards.get("masked_patches").settings.get("encoder", {"properties": {"name": {"enum": []}}})

    assert not {"efficientnet_lite0", "vision_transformer"} & set(offered["properties"]["name"]["enum"])


def test_a_task_that_is_made_for_one_encoder_offers_none():
    cards = {card.name: card for card in methods(Modality.SENSOR)}

    assert "encoder" not in cards["forecast"].settings
    assert "encoder" in cards["masked_window"].settings


def test_an_encoders_card_says_where_its_weights_come_from_and_what_can_be_set():
    cards = {card.name: card for card in encoders(Modality.IMAGE)}

    assert "your own images" in cards["residual_image"].about
    assert "ImageNet" in cards["efficientnet_lite0"].about
    assert "folder" in cards["vision_transformer"].settings["encoder"]["properties"]
