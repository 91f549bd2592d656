"""Plug-ins are found by being there, and missed with a helpful sentence."""

import pytest

from ad_core.errors import MethodError
from ad_core.methods.pretext import PRETEXTS
from ad_core.registry import Registry
from ad_core.training.catalogue import kind_of, methods
from ad_core.types import Modality


def test_the_file_stem_is_the_name():
    assert PRETEXTS.get("rotation").__module__ == "ad_core.methods.pretexts.rotation"


def test_names_can_be_asked_for_by_modality():
    assert "rotation" in PRETEXTS.names(Modality.IMAGE)
    assert "rotation" not in PRETEXTS.names(Modality.TABLE)


def test_a_misspelt_name_is_answered_with_the_closest():
    with pytest.raises(MethodError, match="Did you mean 'rotation'"):
        PRETEXTS.get("rotatoin")


def test_two_classes_of_one_name_are_refused():
    registry: Registry[object] = Registry("thing", "ad_core.methods.pretexts", "anomaly_lens.none")

    class Thing:
        modalities = frozenset(Modality)

    registry.register(Thing)
    with pytest.raises(ValueError, match="registered twice"):
        registry.register(Thing)


def test_a_method_of_another_modality_is_refused_with_what_fits():
    with pytest.raises(MethodError, match=r"'rotation' does not work on table data.*masked_cells"):
        kind_of("rotation", Modality.TABLE)


def test_every_method_has_a_card_with_a_source_and_described_settings():
    for card in methods():
        assert card.title
        assert card.source
        for section in card.settings.values():
            for name, field in section.get("properties", {}).items():
                assert field.get("description"), f"{card.name}.{name} has no description"
