"""What a model is, as users name it: specs, their tables of tensors, stages and state. The walls are in families/."""

from .errors import Error, SpecError, did_you_mean
from .families.codes.spec import CodesSpec
from .families.registry import FAMILIES, from_dict
from .families.samplernn.spec import SampleRNNSpec
from .families.spec import Shape, Spec, Stage, parameters, replace, to_dict
from .families.wavenet.spec import WaveNetSpec
from .levels.names import CODECS, OUTPUTS

__all__ = [
    "CODECS",
    "FAMILIES",
    "OUTPUTS",
    "CodesSpec",
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


def tensors(spec: Spec) -> list[tuple[str, Shape]]:
    """Every tensor of a model, in pack order: (name, shape). Weights are [out, in], the last index fastest."""
    return spec.tensors()


def state_tensors(spec: Spec) -> list[tuple[str, Shape]]:
    """Every array of a stream's state, without the leading stream axis: (name, shape). `spec.state()` adds dtypes."""
    return [(array.name, array.shape) for array in spec.state()]


def stages(spec: Spec) -> list[Stage]:
    """The values that survive every fold, in the order a step makes them."""
    return spec.stages()
