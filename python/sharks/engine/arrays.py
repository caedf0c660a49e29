"""Arrays that lie on a GPU, in whatever library: a copy in numpy, by DLPack."""

from __future__ import annotations

import typing

from ..errors import ResourceError, UsageError

_ON_GPU = (2, 13)  # DLPack's numbers of CUDA memory and CUDA managed memory


def on_host(name: str, values: typing.Any) -> typing.Any:
    """`values` as they are, or a numpy copy where they are a tensor on a GPU (torch, CuPy, JAX, ...).

    What its library has put into the GPU's streams before is waited for. Raises `UsageError` for a tensor that cannot
    be copied, `ResourceError` where the compiled engine has no CUDA.
    """
    place = getattr(values, "__dlpack_device__", None)
    if place is None or int(place()[0]) not in _ON_GPU:
        return values
    try:
        from .. import _core
    except ImportError:
        raise ResourceError(f"{name} lie on a GPU, and the compiled engine that reads them is not built") from None
    if trouble := _core.cuda_status():
        raise ResourceError(f"{name} lie on a GPU, and cannot be read: {trouble}")
    try:
        return _core.to_host(values)
    except (ValueError, BufferError, RuntimeError) as error:
        raise UsageError(f"{name} lie on a GPU, and cannot be read: {' '.join(str(error).split())}") from None
