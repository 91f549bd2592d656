"""Every registered encoder keeps the contract."""

from collections.abc import Callable

import pytest
import torch

from ad_core.methods.encoder import DEFAULT_ENCODER, ENCODERS, Encoder, EncoderChoice, build_encoder
from ad_core.types import ItemShape, Modality
from tests.contracts import items
from tests.contracts.checkpoint import write_checkpoint
from tests.contracts.checks import SAME, check_settings

ALL = [(name, modality) for modality in Modality for name in ENCODERS.names(modality)]
everywhere = pytest.mark.parametrize(("name", "modality"), ALL)

SIZES = {
    Modality.TABLE: [(1,), (7,), (300,)],
    Modality.IMAGE: [(1, 1, 1), (3, 16, 16), (1, 20, 33)],
    Modality.SENSOR: [(1, 1), (2, 32), (12, 101)],
}
"""Common, tiny and awkward ones."""


def of_size(modality: Modality, size: tuple[int, ...]) -> ItemShape:
    return items.shape(modality).model_copy(update={"size": size})


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, ItemShape], Encoder]:
    """Builds an encoder with default settings; one that needs a folder gets that of a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint")

    def built(name: str, shape: ItemShape) -> Encoder:
        needs = ENCODERS.get(name).needs
        if "folder" in needs and not any(folder.iterdir()):
            write_checkpoint(folder)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return build_encoder(name, shape, {"folder": str(folder)} if "folder" in needs else {}).eval()

    return built


def test_every_kind_of_data_has_a_default_encoder():
    assert all(DEFAULT_ENCODER[modality] in ENCODERS.names(modality) for modality in Modality)


@everywhere
def test_card_and_settings_are_complete(name, modality):
    check_settings(ENCODERS.get(name).Settings)
    assert ENCODERS.get(name).title
    assert ENCODERS.get(name).about.endswith(".")


@everywhere
def test_shapes_are_as_announced(name, modality, encoder):
    for size in SIZES[modality]:
        net, x = encoder(name, of_size(modality, size)), torch.randn(2, *size)

        assert net(x).shape == (2, net.d)
        assert net.parts(x).shape == (2, net.d, *net.grid)
        assert len(net.grid) == len(size) - 1


@everywhere
def test_decoder_leads_back_to_any_number_of_channels(name, modality, encoder):
    for size in SIZES[modality]:
        net = encoder(name, of_size(modality, size))
        wanted = (size[0] + 2, *size[1:])

        assert net.decoder(of_size(modality, wanted))(torch.randn(2, net.d, *net.grid)).shape == (2, *wanted)


@everywhere
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_embedding_knows_nothing_of_the_rest_of_the_batch(name, modality, training, encoder):
    """In training too, so that a loss per item is one. Dropout is put aside for that."""
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)).train(training), torch.randn(8, *size)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0

    with torch.no_grad():
        torch.testing.assert_close(torch.cat([net(part) for part in x.split([1, 7])]), net(x), **SAME)


@everywhere
def test_gradient_reaches_every_weight_that_is_trained_and_the_item(name, modality, encoder):
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)), torch.randn(4, *size).requires_grad_()

    net(x).square().sum().backward()

    assert x.grad.abs().sum() > 0
    trained = [p for p in net.parameters() if p.requires_grad]
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in trained)  # none, if it has none


@everywhere
def test_weights_from_elsewhere_stay_as_they_are_and_say_where_they_come_from(name, modality, encoder):
    net = encoder(name, of_size(modality, SIZES[modality][1]))

    assert not net.pretrained or not any(p.requires_grad for p in net.parameters())
    assert net.origin.endswith("." if net.pretrained else "")
    assert bool(net.origin) == net.pretrained


@everywhere
def test_another_one_is_built_from_what_a_bundle_keeps(name, modality, encoder):
    """Through JSON, with the weights loaded after; the folder of a checkpoint may be gone."""
    shape = of_size(modality, SIZES[modality][1])
    net, x = encoder(name, shape), torch.rand(3, *shape.size)
    kept = EncoderChoice.model_validate_json(EncoderChoice.of(net).model_dump_json())
    settings = kept.settings | ({"folder": "/nowhere"} if "folder" in net.needs else {})

    other = build_encoder(kept.name, shape, settings, kept.facts).eval()
    other.load_state_dict(net.state_dict())

    with torch.no_grad():
        torch.testing.assert_close(other(x), net(x), rtol=0, atol=0)


@everywhere
def test_embedding_is_the_mean_over_the_positions(name, modality, encoder):
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)), torch.randn(3, *size)

    with torch.no_grad():
        torch.testing.assert_close(net.parts(x).flatten(2).mean(2) if net.grid else net.parts(x), net(x))
