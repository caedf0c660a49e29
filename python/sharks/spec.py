"""What a model is, as users name it: specs, their tables of tensors, stages and state. The walls are in families/."""

from .errors import Error, SpecError, did_you_mean
from .families.registry import FAMILIES, from_dict
from .families.spec import (
    CODECS,
    OUTPUTS,
    SampleRNNSpec,
    Spec,
    Stage,
    WaveNetSpec,
    parameters,
    replace,
    stages,
    state_tensors,
    tensors,
    to_dict,
)

__all__ = [
    "CODECS",
    "FAMILIES",
    "OUTPUTS",
    "Error",
    "SampleRNNSpec",
    "Spec",
    "SpecError",
    "Stage",
    "WaveNetSpec",
    "did_you_mean",
    "from_dict",
    "parameters",
    "replace",
    "stages",
    "state_tensors",
    "tensors",
    "to_dict",
]
