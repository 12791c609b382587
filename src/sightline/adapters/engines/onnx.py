"""ONNX Runtime: the engine where OpenVINO has no wheel, beside it with the extra `onnx`, and on NVIDIA cards with `gpu`.

Pictures are in the network's own order of colours, since an ONNX graph has no conversion from a video's planes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.adapters.engines import quiet
from sightline.adapters.engines.batches import Batches
from sightline.adapters.engines.common import Feed, is_quantised, picture_size, precision_of, reason
from sightline.adapters.engines.pool import PooledSlot
from sightline.errors import EngineError, Misconfigured, setting
from sightline.ports import DetectorInfo
from sightline.types import ImageSpec
from sightline.vision.heads import Decoder, Profile, Wanted
from sightline.vision.network import Plan, Port, plan_of

__all__ = ["OnnxDetector", "output_shape"]

quiet.load("onnxruntime")  # what functions below import is this one


class OnnxDetector:
    """A network in ONNX Runtime.

    Equal pictures give equal detections to the last bit, whatever the number of threads and slots, and whoever goes along in
    a batch.
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
        cuda: int | None = None,
        batch: int = 1,
    ) -> None:
        """Load: about 0.1 s.

        Args:
            path: the `.onnx` file.
            profile: from its card.
            wanted: what is kept of its output.
            imgsz: width and height of the picture; None: the network's own, else the profile's, else 640 x 640.
            precision: `f32`, or `int8` for a quantised network; bfloat16 is OpenVINO's.
            threads: requests that run at the same time, on a core each.
            cuda: number of the card that it runs on; None: the processor.
            batch: pictures of a run; above 1 the network must take any number.

        Raises:
            Misconfigured: the file is no network, size, precision or batch do not fit it, or there is no such card.
        """
        import onnxruntime

        session = _session(path, cuda)
        precision = precision_of(profile, precision, is_quantised(path))
        if precision == "bf16":
            raise Misconfigured(
                f"{profile.name}: ONNX Runtime has no bf16: {setting('precision', 'f32')}, or {setting('engine', 'openvino')}",
                code="precision",
            )
        plan = plan_of(path.name, profile.head, *_ports(session))
        width, height = picture_size(profile, _fixed_size(session, plan), imgsz)
        self._image = ImageSpec(width, height, profile.colour, profile.fit, profile.pad)
        self._decoder = Decoder(profile, wanted, width, height)
        self._feed = Feed(profile, self._image, plan.dtype, nhwc=plan.nhwc)
        self._name = path.name
        self._session, self._plan, self._size = session, plan, (width, height)
        self._outputs = [session.get_outputs()[number] for number in plan.outputs]
        shapes = [tuple(output.shape) for output in self._outputs]
        if all(isinstance(side, int) for shape in shapes for side in shape):
            self._decoder.check(*shapes)
        self._batches: Batches | None = None
        if batch > 1 or cuda is not None:
            self._check_batch(batch)
            self._batches = Batches(self._run_all, batch, np.zeros_like(self._feed.planes()))
        # Who waits for a batch uses no core: as many are on their way as make two.
        running = threads if self._batches is None else threads + 2 * batch
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="onnx")
        version = onnxruntime.__version__ + ("" if cuda is None else " cuda")
        version += f" batch {batch}" if batch > 1 else ""
        names = profile.name, profile.sha256, profile.labels
        self._info = DetectorInfo(*names, "onnxruntime", version, precision, self._image)

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> PooledSlot:
        """See `Detector`."""
        run = self._run_all if self._batches is None else self._batches
        return PooledSlot(run, self._pool, self._image, self._feed, self._decoder)

    def close(self) -> None:
        """See `Detector`. Requests in flight are finished; a slot refuses to start another."""
        self._pool.shutdown()
        if self._batches is not None:
            self._batches.close()

    def _check_batch(self, batch: int) -> None:
        """See that each output has a row for each picture.

        Raises:
            Misconfigured: the network takes one picture at a time.
        """
        blank = np.repeat(np.zeros_like(self._feed.planes()), batch, axis=0)
        try:
            rows = {output.shape[:1] for output in self._run_all(blank)}
        except EngineError as error:
            rows, why = set(), f" ({error.message})"
        else:
            why = ""
        if rows != {(batch,)}:
            raise Misconfigured(
                f"{self._name}: it does not take {batch} pictures at a time{why}: {setting('batch', 1)}, or export it with "
                "a dynamic batch (Ultralytics: dynamic=True; PyTorch: dynamic_axes)",
                code="batch",
            )

    def _run_all(self, planes: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        names = [output.name for output in self._outputs]
        try:
            outputs = self._session.run(names, _given(self._session, self._plan, planes, self._size))
        except _errors() as exc:
            raise EngineError(f"ONNX Runtime failed on a picture: {reason(exc)}") from exc
        return tuple(_as_float32(output) for output in outputs)


def output_shape(path: Path, imgsz: tuple[int, int] = (640, 640)) -> tuple[int, ...]:
    """Shape of the network's first output for one picture, of `imgsz` (width, height) where it takes any size.

    Raises:
        Misconfigured: the file is no network, or takes no picture.
    """
    session = _session(path)
    plan = plan_of(path.name, "", *_ports(session))
    size = _fixed_size(session, plan) or imgsz
    blank = np.zeros(plan.shape(*size), plan.dtype)
    return tuple(session.run(None, _given(session, plan, blank, size))[0].shape)


def _given(session: Any, plan: Plan, planes: NDArray[Any], size: tuple[int, int]) -> dict[str, NDArray[Any]]:
    inputs = session.get_inputs()
    given = {inputs[plan.picture].name: planes}
    if plan.sizes is not None:
        given[inputs[plan.sizes].name] = np.array([size] * len(planes), plan.sizes_dtype)
    return given


def _as_float32(output: NDArray[Any]) -> NDArray[Any]:
    """An output of another float type as float32; class ids stay integers."""
    return output.astype(np.float32) if output.dtype.kind == "f" and output.dtype != np.float32 else output


def _ports(session: Any) -> tuple[list[Port], list[Port]]:
    both = session.get_inputs(), session.get_outputs()
    inputs, outputs = (
        [Port(port.name, _dtype(port.type), _shape(port.shape)) for port in ports] for ports in both
    )
    return inputs, outputs


def _dtype(word: str) -> str:
    """NumPy's name of `tensor(float16)` and the like."""
    inner = word.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)


def _shape(sides: list[Any]) -> tuple[int | None, ...]:
    return tuple(side if isinstance(side, int) else None for side in sides)


def _session(path: Path, cuda: int | None = None) -> Any:
    import onnxruntime

    # Arithmetic that the run key names and no trial decides: full float32, algorithms by rule and not by measuring.
    on_card = {"device_id": str(cuda), "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    on_processor = "CPUExecutionProvider"
    providers = [on_processor] if cuda is None else [("CUDAExecutionProvider", on_card), on_processor]
    if cuda is not None and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA's libraries, where they were installed as packages

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: they are raised as well
    try:
        session = onnxruntime.InferenceSession(path, options, providers=providers)
    except _errors() as exc:
        raise Misconfigured(
            f"{path.name}: ONNX Runtime cannot read it as a network: {reason(exc, path)}", code="model"
        ) from exc
    if (
        cuda is not None and "CUDAExecutionProvider" not in session.get_providers()
    ):  # it would run on the processor
        raise Misconfigured(
            f"{setting('device', f'cuda:{cuda}')}: ONNX Runtime finds no such card, or not the CUDA that it was built for: "
            'nvidia-smi lists the cards; pip install "sightline[gpu]"',
            code="device",
        )
    return session


def _fixed_size(session: Any, plan: Plan) -> tuple[int, int] | None:
    shape = _shape(session.get_inputs()[plan.picture].shape)
    height, width = shape[1:3] if plan.nhwc else shape[2:]
    return None if height is None or width is None else (width, height)


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: classes of its own, one a status code, that share no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [
        value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    return (RuntimeError, *found)
