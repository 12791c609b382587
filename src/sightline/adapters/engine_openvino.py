"""OpenVINO: the default engine on x86. One compiled model, shared by threads, with a stream of one core for each.

The graph takes the picture as bytes: colour conversion, cast, scale and transposition happen inside it, where they
cost next to nothing. A slot's picture is the memory that the graph reads.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sightline.adapters import quiet
from sightline.adapters.engine import (
    Precision,
    cpu_name_and_flags,
    is_quantised,
    picture_size,
    precision_of,
    reason,
)
from sightline.errors import EngineError, Misconfigured
from sightline.ports import DetectorInfo
from sightline.types import ByteArray, Detections, ImageSpec
from sightline.vision.heads import Decoder, Profile, Wanted

__all__ = ["OpenVinoDetector", "has_bfloat", "output_shape", "version"]

# In a container without /sys the thread library below OpenVINO complains on stderr and works all the same.
os.environ.setdefault("HWLOC_HIDE_ERRORS", "2")
quiet.load("openvino")  # what functions below import is this one


class OpenVinoDetector:
    """A network in OpenVINO: an ONNX file, or OpenVINO's own `.xml` beside its `.bin`.

    Equal pictures give equal detections to the last bit, whatever the number of threads and slots. The precision is
    always set: without a hint OpenVINO chooses one by itself.
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
        layout: Literal["i420", "rgb"] = "i420",
    ) -> None:
        """Load and compile: 0.1 to 0.4 s.

        Args:
            path: the model file.
            profile: from its card.
            wanted: what is kept of its output.
            imgsz: width and height of the picture; None: the network's own, else the profile's, else 640 x 640.
            precision: `f32`, `bf16`, or `int8` for a quantised network.
            threads: requests that run at the same time, on a core each.
            layout: of the picture: `i420` is the cheapest for a video and needs even sides, `rgb` is the network's
                own order of colours.

        Raises:
            Misconfigured: the file is no network, size or precision do not fit it, or the processor lacks the
                precision.
        """
        import openvino

        model = _read(path)
        self._precision = precision_of(profile, precision, is_quantised(path))
        if self._precision == "bf16" and not has_bfloat():
            raise Misconfigured(
                f"{profile.name}: this processor has no bfloat16 instructions: --precision f32",
                code="precision",
            )
        width, height = picture_size(profile, _fixed_size(model), imgsz)
        decoder = Decoder(profile, wanted, width, height)
        self._decoder = decoder
        planes = layout == "i420" and width % 2 == 0 and height % 2 == 0
        self._image = ImageSpec(width, height, "i420" if planes else profile.colour, profile.fit, profile.pad)
        self._compiled: Any = _compile(model, profile, self._image, self._precision, threads)
        decoder.check(tuple(self._compiled.output(0).shape))
        version = openvino.__version__.partition("-")[0]
        self._info = DetectorInfo(
            profile.name,
            profile.sha256,
            profile.labels,
            "openvino",
            version,
            self._precision,
            self._image,
        )

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> OpenVinoSlot:
        """See `Detector`.

        Raises:
            EngineError: the detector is closed.
        """
        if self._compiled is None:
            raise EngineError(f"{self._info.name}: the detector is closed")
        return OpenVinoSlot(self._compiled.create_infer_request(), self._image, self._decoder)

    def close(self) -> None:
        """See `Detector`; memory is free once the slots are gone too."""
        self._compiled = None


class OpenVinoSlot:
    """A request of a compiled model."""

    def __init__(self, request: Any, image: ImageSpec, decoder: Decoder) -> None:
        import openvino

        self._request, self._decoder = request, decoder
        self._picture = np.full(image.shape(), image.pad, np.uint8)
        batch = self._picture[None, ..., None] if image.layout == "i420" else self._picture[None]
        request.set_input_tensor(openvino.Tensor(batch, shared_memory=True))

    @property
    def image(self) -> ByteArray:
        """See `Slot`."""
        return self._picture

    def start(self) -> None:
        """See `Slot`."""
        try:
            self._request.start_async()
        except RuntimeError as exc:
            raise EngineError(f"OpenVINO refused a picture: {reason(exc)}") from exc

    def result(self) -> Detections:
        """See `Slot`."""
        try:
            self._request.wait()
            output = self._request.get_output_tensor(0).data
        except RuntimeError as exc:
            raise EngineError(f"OpenVINO failed on a picture: {reason(exc)}") from exc
        return self._decoder(output)


def has_bfloat() -> bool:
    """Whether the processor multiplies bfloat16: OpenVINO emulates it on plain AVX-512, slower than f32."""
    import openvino

    _, flags = cpu_name_and_flags()
    if flags:
        return bool(flags & {"avx512_bf16", "amx_bf16"})
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def version() -> str:
    """Version and build of the installed OpenVINO."""
    import openvino

    return str(openvino.__version__)


def output_shape(path: Path, imgsz: tuple[int, int] = (640, 640)) -> tuple[int, ...]:
    """Shape of the network's first output for one picture, of `imgsz` (width, height) where it takes any size.

    Raises:
        Misconfigured: the file is no network.
    """
    model = _read(path)
    if _fixed_size(model) is None:
        _reshape(model, imgsz, path.name)
    return tuple(model.output(0).shape)


def _read(path: Path) -> Any:
    import openvino

    try:
        capitals = path.suffix == ".XML"  # its weights are then looked for under ".bin" all the same
        weights = path.with_suffix(".BIN") if capitals and path.with_suffix(".BIN").is_file() else ""
        model = openvino.Core().read_model(path, weights)
        shape = model.input().partial_shape
    except RuntimeError as exc:
        raise Misconfigured(
            f"{path.name}: OpenVINO cannot read it as a network: {reason(exc, path)}", code="model"
        ) from exc
    if shape.rank.is_dynamic or len(shape) != 4 or shape[1] != 3:
        raise Misconfigured(f"{path.name}: input {shape}, expected (1, 3, height, width)", code="model")
    return model


def _fixed_size(model: Any) -> tuple[int, int] | None:
    _, _, height, width = model.input().partial_shape
    return None if height.is_dynamic or width.is_dynamic else (width.get_length(), height.get_length())


def _reshape(model: Any, size: tuple[int, int], name: str) -> None:
    try:
        model.reshape([1, 3, size[1], size[0]])
    except RuntimeError as exc:
        raise Misconfigured(f"{name} does not take {size[0]}x{size[1]}: {reason(exc)}", code="imgsz") from exc


def _compile(model: Any, profile: Profile, image: ImageSpec, precision: Precision, threads: int) -> Any:
    import openvino

    if model.is_dynamic():
        _reshape(model, (image.width, image.height), profile.name)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "NUM_STREAMS": threads,
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # a core that others use too is not worth waiting for
    }
    try:
        return openvino.Core().compile_model(_with_bytes_in(model, profile, image), "CPU", settings)
    except RuntimeError as exc:
        raise Misconfigured(
            f"{profile.name}: OpenVINO cannot compile it: {reason(exc)}", code="model"
        ) from exc


def _with_bytes_in(model: Any, profile: Profile, image: ImageSpec) -> Any:
    """The model behind a graph that makes its input of a picture in bytes."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    prepost = PrePostProcessor(model)
    source, steps = prepost.input().tensor(), prepost.input().preprocess()
    source.set_element_type(Type.u8)
    if image.layout == "i420":
        source.set_color_format(ColorFormat.I420_SINGLE_PLANE)
        steps.convert_color(ColorFormat.BGR if profile.colour == "bgr" else ColorFormat.RGB)
    else:
        source.set_layout(Layout("NHWC"))
    steps.convert_element_type(Type.f32)
    if profile.scale != 1.0:
        steps.scale(profile.scale)
    prepost.input().model().set_layout(Layout("NCHW"))
    return prepost.build()
