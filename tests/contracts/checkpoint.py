"""Tiny vision transformers with random weights, as the hub's package writes them."""

from pathlib import Path

import pytest
import torch

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "mlp_ratio": 2}


def write_checkpoint(folder: Path, kind: str = "dinov2") -> None:
    """A checkpoint of "dinov2", "dinov2_with_registers" (both patches of 14 px) or "vit" (16 px)."""
    transformers = pytest.importorskip("transformers", reason="the extra hub is not installed")
    patch = {"image_size": 32, "patch_size": 16} if kind == "vit" else {"image_size": 28, "patch_size": 14}
    logging = transformers.utils.logging
    logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **SIZES, **patch))
    network.save_pretrained(folder)
    logging.enable_progress_bar()
