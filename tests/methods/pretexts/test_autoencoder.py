"""Autoencoder: scales, scores and maps, worked out by hand."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import DEFAULT_ENCODER, build_encoder
from ad_core.methods.losses.channel_errors import tempered
from ad_core.methods.losses.reconstruction_error import smoothed
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.autoencoder import AutoencoderSettings, _lost_structure
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("autoencoder")


def blank(modality: Modality, **settings):
    """A task that rebuilds everything as 0."""
    shape = items.shape(modality)
    task = CLS(AutoencoderSettings(**settings), shape, build_encoder(DEFAULT_ENCODER[modality], shape)).eval()
    for p in task.decoder.parameters():
        torch.nn.init.zeros_(p)
    return task


def test_pixels_are_standardised_per_colour_over_all_images_that_teach():
    task, x = blank(Modality.IMAGE), torch.rand(10, 3, 16, 16)

    task.prepare([Batch(x[:7]), Batch(x[7:])])

    torch.testing.assert_close(task.centre.flatten(), x.mean((0, 2, 3)))
    torch.testing.assert_close(task.spread.flatten(), x.std((0, 2, 3), correction=0))
    torch.testing.assert_close(task.expected(x, Draw.shared(0)), task.centre.expand_as(x))


def test_an_images_score_is_the_mean_of_its_worst_smoothed_pixels():
    task, x = blank(Modality.IMAGE, worst_share=0.25, similarity=0), torch.rand(2, 3, 16, 16)
    errors = smoothed(x.square().mean(1))

    with torch.no_grad():
        torch.testing.assert_close(task.part_scores(x, Draw.shared(0)), errors)
        torch.testing.assert_close(task.score(x, Draw.shared(0)), errors.flatten(1).sort(1).values[:, -64:].mean(1))


def test_a_windows_score_is_its_squared_error_as_a_tempered_multiple_of_the_usual_one():
    """Channel 0 errs by 1 as a rule, channel 1 by 2: squares of 4 are 4 / 1.01 and 4 / 4.01 normal ones."""
    task, taught = blank(Modality.SENSOR), torch.tensor([1.0, 2.0])[None, :, None].expand(4, 2, 32)

    with torch.no_grad():
        task.finish([Batch(taught[:1]), Batch(taught[1:])])
        parts = task.part_scores(torch.full((1, 2, 32), 2.0), Draw.shared(0))
        score = task.score(torch.full((1, 2, 32), 2.0), Draw.shared(0))

    torch.testing.assert_close(parts[0, :, 7], tempered(torch.tensor([4 / 1.01, 4 / 4.01])))
    assert score.item() == pytest.approx(parts.mean().item(), rel=1e-5)


def test_a_window_of_noise_cannot_be_copied_through_the_bottleneck():
    """4 numbers can hold no more than 4 of 64 independent values, so an error of 60 / 64 at least stays."""
    task = blank(Modality.SENSOR, noise=0.0)
    x = torch.randn(512, 2, 32, generator=torch.Generator().manual_seed(0))
    taught, other = x[:256], x[256:]
    linear = torch.linalg.lstsq(task.embed(taught), taught.flatten(1)).solution

    with torch.no_grad():
        assert task.embed(x).shape == (512, 4)
        assert (other.flatten(1) - task.embed(other) @ linear).square().mean() > 0.9


def test_a_tables_category_costs_its_cross_entropy():
    """Equal logits for none and three levels: log 4. The third column's two entries are averaged."""
    task, x = blank(Modality.TABLE), torch.tensor([[2.0, -1.0, 3.0, 1.0, 0.0, 1.0, 0.0]])

    with torch.no_grad():
        parts = task.part_scores(x, Draw.shared(0))

    torch.testing.assert_close(parts, torch.tensor([[4.0, 1.0, 5.0, math.log(4)]]))
    assert task.score(x, Draw.shared(0)).item() == pytest.approx(parts.mean().item())


def test_the_noise_is_only_in_what_the_network_sees():
    task, x = blank(Modality.SENSOR, noise=2.0), torch.randn(3, 2, 32)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), x.square().mean((1, 2)))


@pytest.mark.parametrize(("modality", "size"), [(Modality.TABLE, 2), (Modality.IMAGE, 48), (Modality.SENSOR, 4)])
def test_the_bottleneck_is_chosen_by_the_items_size_unless_set(modality, size):
    x = items.item_set(modality).take(np.arange(3))

    assert blank(modality).embed(x).shape == (3, size)
    assert blank(modality, bottleneck=5).embed(x).shape == (3, 5)


def test_a_bright_spot_is_where_the_map_is_highest():
    task = trained(CLS, Modality.IMAGE, steps=60).task
    x = items.item_set(Modality.IMAGE).take(np.arange(80, 84))
    x[:, :, 12:15, 3:6] = 1.0

    with torch.no_grad():
        y_x = [divmod(int(m.argmax()), 16) for m in task.part_scores(x, Draw.shared(0))]

    assert all(11 <= y <= 15 and 2 <= x <= 6 for y, x in y_x)


def test_an_images_error_is_lost_structure_mixed_with_squared_error():
    """SSIM of two flat images: (2 a b + c1) / (a^2 + b^2 + c1) with c1 = .0001. Rebuilt is 0, that is the centre .2."""
    task, x = blank(Modality.IMAGE, similarity=0.25), torch.full((1, 3, 16, 16), 0.6)
    task.centre, task.spread = torch.full((3, 1, 1), 0.2), torch.full((3, 1, 1), 0.8)
    lost = 1 - (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)

    with torch.no_grad():
        parts = task.part_scores(x, Draw.shared(0))

    torch.testing.assert_close(parts, torch.full((1, 16, 16), 0.75 * 0.5**2 + 0.25 * lost), rtol=1e-4, atol=1e-5)


def test_lost_structure_is_what_the_formula_says_of_a_pattern():
    """The opposite of a pattern around the same mean: (2 m^2 + c1) (-2 v + c2) / ((2 m^2 + c1) (2 v + c2)), colour by
    colour; v is the variance under the bell curve, here of stripes of one pixel: .2^2 as good as exactly.
    """
    stripes = torch.tensor([0.3, 0.7]).repeat(16)[None, None, None].expand(1, 1, 32, 32)

    lost = _lost_structure(1 - stripes, stripes)[0, 0, 16, 16].item()

    assert lost == pytest.approx(1 - (9e-4 - 2 * 0.04) / (9e-4 + 2 * 0.04), rel=1e-3)
    assert _lost_structure(stripes, stripes).abs().max() < 1e-4


def test_the_gradient_leads_through_the_lost_structure():
    """Against differences in float64."""
    task = trained(CLS, Modality.IMAGE, steps=1).task.double()
    x = items.item_set(Modality.IMAGE).take(np.arange(1)).double()
    nudge = torch.zeros_like(x)
    nudge[0, 1, 8, 8] = 1e-6

    (slope,) = torch.autograd.grad(task.part_scores(x.requires_grad_(), Draw.shared(0)).sum(), x)
    with torch.no_grad():
        up, down = (task.part_scores(x + sign * nudge, Draw.shared(0)).sum() for sign in (1, -1))

    assert slope[0, 1, 8, 8].item() == pytest.approx(((up - down) / 2e-6).item(), rel=1e-3, abs=1e-6)


def test_a_pattern_of_the_wrong_kind_scores_high_by_structure():
    """Rows instead of columns within the usual brightness: single pixels are hardly wrong, their structure is."""
    stripes = 0.45 + 0.1 * (torch.arange(32) // 2 % 2).float().expand(1, 1, 32, 32)
    task = blank(Modality.IMAGE, similarity=1)
    task.centre, task.spread = torch.tensor(0.5), torch.tensor(1.0)
    task._rebuilt = lambda x: stripes.expand_as(x) - 0.5

    with torch.no_grad():
        usual, wrong = (task.score(image, Draw.shared(0)).item() for image in (stripes, stripes.mT))

    assert usual == pytest.approx(0, abs=1e-3)
    assert wrong > 0.5


@pytest.mark.parametrize("modality", [Modality.TABLE, Modality.SENSOR])
def test_structure_is_of_images_only(modality):
    x = items.item_set(modality).take(np.arange(3))

    with torch.no_grad():
        scores = [blank(modality, similarity=share).part_scores(x, Draw.shared(0)) for share in (0, 1)]

    assert torch.equal(*scores)


def test_a_pretrained_encoder_sees_images_as_they_were_read():
    shape = items.shape(Modality.IMAGE)
    encoder = build_encoder("efficientnet_lite0", shape)
    task, x = CLS(AutoencoderSettings(), shape, encoder).eval(), torch.rand(4, 3, 16, 16)
    task.prepare([Batch(x)])

    with torch.no_grad():
        torch.testing.assert_close(
            task.embed_parts(x), encoder.parts(x).flatten(2).mT, rtol=1e-4, atol=1e-4
        )  # there and back through the standardisation
