"""The cadence evaluator: who is due which touch, on which channel, by whom, and why."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ar_core.cadence.codes import CODES, Code, CodeInfo
    from ar_core.cadence.content import Content
    from ar_core.cadence.evaluation import Action, ActionKind, Disposition, DispositionKind, Evaluation
    from ar_core.cadence.features import FEATURES, Feature, FeatureType
    from ar_core.cadence.loading import PRESETS, PolicyError, load_policy, preset_text
    from ar_core.cadence.policy import Policy
    from ar_core.cadence.schema import policy_json_schema

__all__ = [
    "CODES",
    "FEATURES",
    "PRESETS",
    "Action",
    "ActionKind",
    "Code",
    "CodeInfo",
    "Content",
    "Disposition",
    "DispositionKind",
    "Evaluation",
    "Feature",
    "FeatureType",
    "Policy",
    "PolicyError",
    "load_policy",
    "policy_json_schema",
    "preset_text",
]

# Loaded when first used, so that one part (the reason codes, say) can be had without the others.
_LAZY = {
    "Action": "ar_core.cadence.evaluation",
    "ActionKind": "ar_core.cadence.evaluation",
    "CODES": "ar_core.cadence.codes",
    "Code": "ar_core.cadence.codes",
    "CodeInfo": "ar_core.cadence.codes",
    "Content": "ar_core.cadence.content",
    "Disposition": "ar_core.cadence.evaluation",
    "DispositionKind": "ar_core.cadence.evaluation",
    "Evaluation": "ar_core.cadence.evaluation",
    "FEATURES": "ar_core.cadence.features",
    "Feature": "ar_core.cadence.features",
    "FeatureType": "ar_core.cadence.features",
    "PRESETS": "ar_core.cadence.loading",
    "Policy": "ar_core.cadence.policy",
    "PolicyError": "ar_core.cadence.loading",
    "load_policy": "ar_core.cadence.loading",
    "policy_json_schema": "ar_core.cadence.schema",
    "preset_text": "ar_core.cadence.loading",
}


if not TYPE_CHECKING:  # a type checker would believe that every name exists

    def __getattr__(name: str) -> Any:
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module 'ar_core.cadence' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(module), name)
        globals()[name] = value
        return value
