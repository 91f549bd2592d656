"""The frozen network gives what the published one gives, at the depths that were asked for."""

import torch
from efficientnet_lite_pytorch import EfficientNet

from ad_core.methods.networks.imagenet_features import BLOCKS, ImagenetFeatures, _weights, on_one_grid


def test_the_head_gives_what_the_published_network_gives():
    published = EfficientNet.from_name("efficientnet-lite0")
    published.load_state_dict(_weights())
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    (found,) = ImagenetFeatures([16])(x)

    with torch.no_grad():
        expected = published.eval().extract_features((255 * x - 127) / 128)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)  # normalisations are fused into convolutions


def test_each_depth_has_the_channels_and_the_grid_that_it_names():
    features = ImagenetFeatures(list(BLOCKS))(torch.rand(1, 1, 96, 64))

    sizes = [tuple(f.shape[1:]) for f in features]

    assert sizes == [(channels, 96 // stride, 64 // stride) for channels, stride in BLOCKS.values()]


def test_the_network_never_trains():
    network = ImagenetFeatures([4, 7])

    network.train()

    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_coarser_features_join_the_finest_grid():
    network = ImagenetFeatures([4, 7])

    joined = on_one_grid(network(torch.rand(2, 1, 64, 64)))

    assert joined.shape == (2, sum(network.channels), 8, 8)
