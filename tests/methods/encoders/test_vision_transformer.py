"""Vision transformers from a folder: which tokens at which places, how images are shown to them, what is refused."""

import json
import sys

import pytest
import torch
from torch.nn import functional as F

from ad_core.errors import MethodError, ResourceError, SettingsError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.networks.checkpoints import network_of
from ad_core.types import Modality
from tests.contracts import items
from tests.contracts.checkpoint import write_checkpoint

transformers = pytest.importorskip("transformers", reason="the extra hub is not installed")


def built(folder, *size: int):
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": size or (3, 56, 56)})
    return build_encoder("vision_transformer", shape, {"folder": str(folder)})


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "others", "size", "seen", "grid"),
    [
        ("dinov2", 1, (3, 56, 56), (56, 56), (4, 4)),
        ("dinov2_with_registers", 5, (3, 56, 42), (56, 42), (4, 3)),
        ("vit", 1, (3, 40, 64), (48, 64), (3, 4)),
    ],
)
def test_parts_are_the_patch_tokens_without_class_and_registers(tmp_path, kind, others, size, seen, grid):
    """Against the package's own network, its images normalised by hand; 40 px are enlarged to 3 patches of 16."""
    write_checkpoint(tmp_path, kind)
    net, x = built(tmp_path, *size), torch.rand(2, *size)
    by_package = transformers.AutoModel.from_pretrained(tmp_path).eval()
    shown = F.interpolate(x, seen, mode="bilinear")
    shown = (shown - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        3, 1, 1
    )
    options = {"interpolate_pos_encoding": True} if kind == "vit" else {}

    with torch.no_grad():
        tokens = by_package(pixel_values=shown, **options).last_hidden_state

    assert net.grid == grid
    assert tokens.shape[1] == others + grid[0] * grid[1]
    expected = torch.stack([tokens[:, others + i] for i in range(grid[0] * grid[1])], 2).view(2, 16, *grid)
    torch.testing.assert_close(net.parts(x), expected, rtol=1e-4, atol=1e-5)


def test_grey_images_are_shown_in_all_three_colours(folder):
    x = torch.rand(2, 1, 28, 28)

    torch.testing.assert_close(built(folder, 1, 28, 28)(x), built(folder, 3, 28, 28)(x.expand(-1, 3, -1, -1)))


def test_the_checkpoints_own_preprocessing_counts(folder):
    """With mean m and spread s of its own an image s z + m looks as z does without."""
    x = torch.rand(2, 3, 28, 28)
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False}))
    plain = built(folder, 3, 28, 28)(x)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}))

    shifted = built(folder, 3, 28, 28)(0.25 * x + 0.5)

    torch.testing.assert_close(shifted, plain, rtol=1e-4, atol=1e-5)


def test_it_stays_frozen_and_calm_while_a_head_is_trained(folder):
    net = built(folder).train()

    assert not net.network.training
    assert not any(p.requires_grad for p in net.parameters())


def test_an_image_that_is_explained_gets_a_gradient(folder):
    x = torch.rand(1, 3, 56, 56, requires_grad=True)

    built(folder)(x).square().sum().backward()

    assert x.grad.abs().sum() > 0


def test_the_run_names_the_folder(folder):
    assert f"come from the folder {folder}, not from these data" in built(folder).origin


def test_what_is_no_checkpoint_is_refused_in_one_sentence_each(folder, tmp_path_factory):
    config = json.loads((folder / "config.json").read_text())
    empty = tmp_path_factory.mktemp("empty")

    with pytest.raises(SettingsError, match=r"can't be built without encoder\.folder: Folder on this machine"):
        built("")
    with pytest.raises(MethodError, match=r"There is no folder .*nowhere"):
        built(folder / "nowhere")
    with pytest.raises(MethodError, match=r"There is no config\.json"):
        built(empty)
    (empty / "config.json").write_text("{")
    with pytest.raises(MethodError, match=r"config\.json can't be read"):
        built(empty)
    (empty / "config.json").write_text(json.dumps({"model_type": "resnet"}))
    with pytest.raises(MethodError, match=r"of type 'resnet'; known are dinov2, dinov2_with_registers, vit"):
        built(empty)
    (empty / "config.json").write_text(json.dumps(config))
    (empty / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(MethodError, match="There is no safetensors file"):
        built(empty)
    (empty / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(MethodError, match="can't be read"):
        built(empty)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5]}))
    with pytest.raises(MethodError, match="are not three numbers"):
        built(folder)


def test_weights_of_another_network_are_refused(folder):
    """Half of the layers are missing in the file; random ones in their place would be a silent disaster."""
    from safetensors.torch import load_file, save_file

    kept = {name: w for name, w in load_file(folder / "model.safetensors").items() if "layer.1." not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(MethodError, match=r"lacks \d+ of the network's weights"):
        built(folder)


def test_code_of_a_checkpoint_is_not_run(folder):
    """It names code of its own, which would leave a mark."""
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "own.Own", "AutoConfig": "own.OwnConfig"}
    config["_attn_implementation"] = "somebody/kernels"  # would be fetched from the hub
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()")

    net = built(folder)
    again = network_of(config)

    assert not (folder / "ran").exists()
    assert net.network.config._attn_implementation == again.config._attn_implementation == "sdpa"
    with pytest.raises(MethodError, match="of type 'resnet'"):
        network_of(config | {"model_type": "resnet"})
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "awq"}}))
    with pytest.raises(MethodError, match="is quantised"):
        built(folder)


def test_a_missing_package_is_said_with_how_to_install_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(ResourceError, match=r"pip install 'anomaly-lens\[hub\]'"):
        built(folder)
