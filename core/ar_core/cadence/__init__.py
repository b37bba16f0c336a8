"""The cadence evaluator: who is due which touch, on which channel, by whom, and why."""

from ar_core.cadence.codes import CODES, Code, CodeInfo
from ar_core.cadence.evaluate import evaluate
from ar_core.cadence.evaluation import Action, ActionKind, Disposition, DispositionKind, Evaluation
from ar_core.cadence.features import FEATURES, Feature, FeatureType
from ar_core.cadence.loading import PRESETS, PolicyError, load_policy, preset_text
from ar_core.cadence.policy import Policy, policy_json_schema

__all__ = [
    "CODES",
    "FEATURES",
    "PRESETS",
    "Action",
    "ActionKind",
    "Code",
    "CodeInfo",
    "Disposition",
    "DispositionKind",
    "Evaluation",
    "Feature",
    "FeatureType",
    "Policy",
    "PolicyError",
    "evaluate",
    "load_policy",
    "policy_json_schema",
    "preset_text",
]
