"""What the author of a plug-in needs: contracts, registries, and the types that go in and out of them.

A plug-in is a class that inherits from one contract (`Pretext`, `Reference` for a classical detector, `Scorer`,
`Encoder`, `Reader`, `Recipe`), declares its texts and a frozen `Settings` model, and is decorated with `register` of
its registry. A package adds it to Anomaly Lens through an entry point of the group `anomaly_lens.pretexts`,
`.references`, `.scorers`, `.encoders`, `.readers` or `.recipes`; the entry point's name is the plug-in's name.

Errors for the user come from `ad_core`: `DataError`, `MethodError`, `SettingsError`.
"""

from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role, Schema, fingerprint_of, row_ids
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.reader import READERS, Reader
from ad_core.methods.encoder import ENCODERS, Encoder, build_encoder
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import PRETEXTS, Pretext, TensorGroup, TrainingProgress
from ad_core.methods.recipe import RECIPES, Fitted, HeldOut, Recipe
from ad_core.methods.reference import REFERENCES, Reference, ReferenceModel, flat, whole_windows
from ad_core.methods.scorer import SCORERS, ScoreModel, Scorer, TaskModel
from ad_core.progress import Report
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, JudgedBy, Modality, PartKind, Parts, TrainingRows

__all__ = [
    "ENCODERS",
    "PRETEXTS",
    "READERS",
    "RECIPES",
    "REFERENCES",
    "SCORERS",
    "Batch",
    "Column",
    "ColumnKind",
    "Dataset",
    "Declared",
    "Draw",
    "Encoder",
    "Fitted",
    "HeldOut",
    "ItemSet",
    "ItemShape",
    "JudgedBy",
    "Modality",
    "PartKind",
    "Parts",
    "Pretext",
    "Reader",
    "Recipe",
    "Reference",
    "ReferenceModel",
    "Report",
    "Role",
    "Schema",
    "ScoreModel",
    "Scorer",
    "Settings",
    "SourceItems",
    "Split",
    "TaskModel",
    "TensorGroup",
    "TrainingProgress",
    "TrainingRows",
    "build_encoder",
    "fingerprint_of",
    "flat",
    "row_ids",
    "whole_windows",
]
