"""Vision transformers from a local folder: weights and preprocessing.

Nothing is downloaded, no code of a checkpoint is run, and weights are read from safetensors files only.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from ad_core.errors import MethodError, ResourceError

KNOWN: dict[str, dict[str, Any]] = {
    "dinov2": {},
    "dinov2_with_registers": {},
    "vit": {"add_pooling_layer": False},
}
"""Model type, a module of `transformers.models` -> arguments for building it."""

NOT_NEEDED = ("pooler", "mask_token")
"""Weights that may be missing, since patch embeddings don't depend on them."""

NAMES_CODE = ("auto_map", "quantization_config", "_attn_implementation", "attn_implementation")
"""Entries of a configuration that can make the package fetch or run other code. They are ignored."""

ATTENTION = "sdpa"
"""The attention implementation, whatever a configuration says: PyTorch's own."""

ADVICE = "Set encoder.folder to the folder of a DINOv2 or ViT checkpoint, saved with safetensors."


class Preprocessing(BaseModel):
    """(value in 0..1 - mean) / spread per colour; by default ImageNet's."""

    model_config = ConfigDict(frozen=True)

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    spread: tuple[float, float, float] = (0.229, 0.224, 0.225)


def loaded(folder: Path) -> tuple[nn.Module, Preprocessing]:
    """A checkpoint's network with its weights, in evaluation mode, and its preprocessing.

    Raises:
        ResourceError: the package that builds such networks is not installed.
        MethodError: the folder holds no such checkpoint.
    """
    config = _checked(folder)
    transformers = _transformers()
    from safetensors import SafetensorError

    try:
        with _quietly(transformers):
            network, found = transformers.AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                config=_built(transformers, config),
                attn_implementation=ATTENTION,
                **KNOWN[config["model_type"]],
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise MethodError(
            f"The checkpoint in {folder} can't be read ({str(error).splitlines()[0]}). {ADVICE}"
        ) from None
    if missing := [name for name in found["missing_keys"] if not any(part in name for part in NOT_NEEDED)]:
        raise MethodError(
            f"The checkpoint in {folder} lacks {len(missing)} of the network's weights, {sorted(missing)[0]!r} among "
            f"them. {ADVICE}"
        )
    return network.float().eval(), _preprocessing(folder)


def network_of(config: dict[str, Any]) -> nn.Module:
    """A network of this configuration, without weights.

    Raises:
        ResourceError: the package that builds such networks is not installed.
        MethodError: it is of another type.
    """
    if (kind := config.get("model_type")) not in KNOWN:
        raise MethodError(f"The bundle holds a network of type {kind!r}; known are {', '.join(KNOWN)}.")
    transformers = _transformers()
    network: nn.Module = transformers.AutoModel.from_config(
        _built(transformers, config), trust_remote_code=False, attn_implementation=ATTENTION, **KNOWN[kind]
    )
    return network.eval()


def _built(transformers: Any, config: dict[str, Any]) -> Any:
    """A configuration of a known type, without `NAMES_CODE`."""
    settings = {key: value for key, value in config.items() if key not in (*NAMES_CODE, "model_type")}
    return transformers.AutoConfig.for_model(config["model_type"], **settings)


def _checked(folder: Path) -> dict[str, Any]:
    """The configuration of a usable checkpoint."""
    if not folder.is_dir():
        raise MethodError(f"There is no folder {folder} with a checkpoint. {ADVICE}")
    config = _json(folder / "config.json")
    if (kind := config.get("model_type")) not in KNOWN:
        raise MethodError(f"The checkpoint in {folder} is of type {kind!r}; known are {', '.join(KNOWN)}. {ADVICE}")
    if "quantization_config" in config:
        raise MethodError(f"The checkpoint in {folder} is quantised, which is not supported. {ADVICE}")
    if config.get("num_channels", 3) != 3:
        raise MethodError(f"The checkpoint in {folder} is not one of colour images. {ADVICE}")
    if not any(folder.glob("*.safetensors")):
        raise MethodError(f"There is no safetensors file in {folder}, and others may run code. {ADVICE}")
    return config


def _preprocessing(folder: Path) -> Preprocessing:
    """From the checkpoint's own file, if there is one."""
    if not (folder / "preprocessor_config.json").is_file():
        return Preprocessing()
    said = _json(folder / "preprocessor_config.json")
    if not said.get("do_normalize", True):
        return Preprocessing(mean=(0, 0, 0), spread=(1, 1, 1))
    usual = Preprocessing()
    try:
        return Preprocessing(mean=said.get("image_mean", usual.mean), spread=said.get("image_std", usual.spread))
    except ValidationError:
        raise MethodError(
            f"image_mean or image_std in {folder / 'preprocessor_config.json'} are not three numbers. {ADVICE}"
        ) from None


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MethodError(f"There is no {file.name} in {file.parent}. {ADVICE}") from None
    except (OSError, ValueError):
        raise MethodError(f"{file} can't be read. {ADVICE}") from None
    return found if isinstance(found, dict) else {}


def _transformers() -> Any:
    try:
        import transformers
    except ImportError:
        raise ResourceError(
            "Vision transformers need the package transformers. Install it with: pip install 'anomaly-lens[hub]'"
        ) from None
    return transformers


@contextmanager
def _quietly(transformers: Any) -> Iterator[None]:
    """Without progress bars and lists of unused weights, which would end up in a run's log."""
    logging = transformers.utils.logging
    before, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bar:
            logging.enable_progress_bar()
