"""ONNX Runtime: the engine where OpenVINO has no wheel; beside it with the extra `onnx`.

Pictures are in the network's own order of colours, since an ONNX graph has no conversion from a video's planes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.adapters import quiet
from sightline.adapters.engine import is_quantised, picture_size, precision_of, reason
from sightline.adapters.engine_pool import PooledSlot
from sightline.errors import EngineError, Misconfigured
from sightline.ports import DetectorInfo
from sightline.types import ImageSpec
from sightline.vision.heads import Decoder, Profile, Wanted

__all__ = ["OnnxDetector", "output_shape"]

quiet.load("onnxruntime")  # what functions below import is this one


class OnnxDetector:
    """A network in ONNX Runtime.

    Equal pictures give equal detections to the last bit, whatever the number of threads and slots.
    """

    def __init__(
        self,
        path: Path,
        profile: Profile,
        wanted: Wanted,
        *,
        imgsz: tuple[int, int] | None = None,
        precision: str = "f32",
        threads: int = 1,
    ) -> None:
        """Load: about 0.1 s.

        Args:
            path: the `.onnx` file.
            profile: from its card.
            wanted: what is kept of its output.
            imgsz: width and height of the picture; None: the network's own, else the profile's, else 640 x 640.
            precision: `f32`, or `int8` for a quantised network; bfloat16 is OpenVINO's.
            threads: requests that run at the same time, on a core each.

        Raises:
            Misconfigured: the file is no network, or size or precision do not fit it.
        """
        import onnxruntime

        session = _session(path)
        precision = precision_of(profile, precision, is_quantised(path))
        if precision == "bf16":
            raise Misconfigured(
                f"{profile.name}: ONNX Runtime has no bf16: --precision f32, or --engine openvino",
                code="precision",
            )
        width, height = picture_size(profile, _fixed_size(session), imgsz)
        self._image = ImageSpec(width, height, profile.colour, profile.fit, profile.pad)
        self._decoder = Decoder(profile, wanted, width, height)
        self._session, self._input, self._scale = session, session.get_inputs()[0].name, profile.scale
        shape = session.get_outputs()[0].shape
        if all(isinstance(side, int) for side in shape):
            self._decoder.check(tuple(shape))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="onnx")
        self._info = DetectorInfo(
            profile.name,
            profile.sha256,
            profile.labels,
            "onnxruntime",
            onnxruntime.__version__,
            precision,
            self._image,
        )

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> PooledSlot:
        """See `Detector`."""
        return PooledSlot(self._run, self._pool, self._image, self._scale, self._decoder)

    def close(self) -> None:
        """See `Detector`. Requests in flight are finished; a slot refuses to start another."""
        self._pool.shutdown()

    def _run(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            output: NDArray[np.float32] = self._session.run(None, {self._input: planes})[0]
        except _errors() as exc:
            raise EngineError(f"ONNX Runtime failed on a picture: {reason(exc)}") from exc
        return output


def output_shape(path: Path, imgsz: tuple[int, int] = (640, 640)) -> tuple[int, ...]:
    """Shape of the network's first output for one picture, of `imgsz` (width, height) where it takes any size.

    Raises:
        Misconfigured: the file is no network.
    """
    session = _session(path)
    width, height = _fixed_size(session) or imgsz
    blank = np.zeros((1, 3, height, width), np.float32)
    return tuple(session.run(None, {session.get_inputs()[0].name: blank})[0].shape)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: they are raised as well
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _errors() as exc:
        raise Misconfigured(
            f"{path.name}: ONNX Runtime cannot read it as a network: {reason(exc, path)}", code="model"
        ) from exc
    shape = session.get_inputs()[0].shape
    if len(shape) != 4 or shape[1] != 3:
        raise Misconfigured(f"{path.name}: input {shape}, expected (1, 3, height, width)", code="model")
    return session


def _fixed_size(session: Any) -> tuple[int, int] | None:
    _, _, height, width = session.get_inputs()[0].shape
    return (width, height) if isinstance(height, int) and isinstance(width, int) else None


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: classes of its own, one a status code, that share no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [
        value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    return (RuntimeError, *found)
