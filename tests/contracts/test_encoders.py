"""Every registered encoder keeps the contract."""

import pytest
import torch

from ad_core.encoder import DEFAULT_ENCODER, ENCODERS, Encoder, build_encoder
from ad_core.types import ItemShape, Modality
from tests.contracts import items
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


def encoder(name: str, shape: ItemShape) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build_encoder(name, shape).eval()


def test_every_kind_of_data_has_a_default_encoder():
    assert all(DEFAULT_ENCODER[modality] in ENCODERS.names(modality) for modality in Modality)


@everywhere
def test_card_and_settings_are_complete(name, modality):
    check_settings(ENCODERS.get(name).Settings)
    assert ENCODERS.get(name).title


@everywhere
def test_shapes_are_as_announced(name, modality):
    for size in SIZES[modality]:
        net, x = encoder(name, of_size(modality, size)), torch.randn(2, *size)

        assert net(x).shape == (2, net.d)
        assert net.parts(x).shape == (2, net.d, *net.grid)
        assert len(net.grid) == len(size) - 1


@everywhere
def test_decoder_leads_back_to_any_number_of_channels(name, modality):
    for size in SIZES[modality]:
        net = encoder(name, of_size(modality, size))
        wanted = (size[0] + 2, *size[1:])

        assert net.decoder(of_size(modality, wanted))(torch.randn(2, net.d, *net.grid)).shape == (2, *wanted)


@everywhere
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_embedding_knows_nothing_of_the_rest_of_the_batch(name, modality, training):
    """In training too, so that a loss per item is one. Dropout is put aside for that."""
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)).train(training), torch.randn(8, *size)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0

    with torch.no_grad():
        torch.testing.assert_close(torch.cat([net(part) for part in x.split([1, 7])]), net(x), **SAME)


@everywhere
def test_gradient_reaches_every_weight_and_the_item(name, modality):
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)), torch.randn(4, *size).requires_grad_()

    net(x).square().sum().backward()

    assert x.grad.abs().sum() > 0
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in net.parameters())  # none, if it has none


@everywhere
def test_embedding_is_the_mean_over_the_positions(name, modality):
    size = SIZES[modality][1]
    net, x = encoder(name, of_size(modality, size)), torch.randn(3, *size)

    with torch.no_grad():
        torch.testing.assert_close(net.parts(x).flatten(2).mean(2) if net.grid else net.parts(x), net(x))
