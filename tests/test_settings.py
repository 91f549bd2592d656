"""Settings: one declaration, strict keys, errors that help."""

import pytest
from pydantic import Field

from ad_core.errors import SettingsError
from ad_core.settings import Settings, parse_assignments


class Example(Settings):
    """Two settings."""

    epochs: int = Field(10, ge=1, description="Passes over the data.")
    share: float = Field(0.3, ge=0.0, le=1.0, description="Share of hidden cells.")


def test_values_of_texts_become_the_type_of_the_field():
    assert Example.parse({"epochs": "5"}, "training").epochs == 5


def test_an_unknown_key_names_the_closest_one():
    with pytest.raises(SettingsError, match=r"no setting training\.epoch \(did you mean 'epochs'\?\)"):
        Example.parse({"epoch": 5}, "training")


def test_a_value_out_of_range_is_named_with_what_was_found():
    with pytest.raises(SettingsError, match=r"pretext\.share = 3: .*less than or equal to 1"):
        Example.parse({"share": 3}, "pretext")


def test_settings_can_not_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Example().epochs = 3  # type: ignore[misc]


def test_assignments_are_grouped_by_section_and_read_as_json():
    found = parse_assignments(["training.max_epochs=5", "pretext.share=0.2", "reader.color=grey", "pretext.on=true"])

    assert found == {"training": {"max_epochs": 5}, "pretext": {"share": 0.2, "on": True}, "reader": {"color": "grey"}}


@pytest.mark.parametrize("text", ["epochs=5", "training.epochs", "training.=5", "=5"])
def test_an_assignment_of_another_form_says_how_to_write_it(text):
    with pytest.raises(SettingsError, match=r"section\.key=value"):
        parse_assignments([text])


def test_an_unknown_section_is_an_error():
    with pytest.raises(SettingsError, match="did you mean 'training'"):
        parse_assignments(["trainin.epochs=5"])
