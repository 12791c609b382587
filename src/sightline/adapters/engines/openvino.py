"""OpenVINO: the default engine on x86. One compiled model, shared by threads, with a stream of one core for each.

The graph takes the picture as bytes: colour conversion, cast, scale and transposition happen inside it, where they
cost next to nothing. A slot's picture is the memory that the graph reads.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sightline.adapters.engines import quiet
from sightline.adapters.engines.common import (
    Precision,
    is_quantised,
    picture_size,
    precision_of,
    reason,
    takes_bytes,
)
from sightline.arrays import ByteArray
from sightline.errors import EngineError, Misconfigured, setting
from sightline.machine import cpu_name_and_flags
from sightline.ports import DetectorInfo
from sightline.types import Detections, ImageSpec
from sightline.vision.heads import Decoder, Profile, Wanted
from sightline.vision.network import Plan, Port, numpy_name, plan_of

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
                f"{profile.name}: this processor has no bfloat16 instructions: {setting('precision', 'f32')}",
                code="precision",
            )
        self._plan = plan_of(path.name, profile.head, *_ports(model))
        width, height = picture_size(profile, _fixed_size(model, self._plan), imgsz)
        decoder = Decoder(profile, wanted, width, height)
        self._decoder = decoder
        planes = layout == "i420" and width % 2 == 0 and height % 2 == 0
        self._image = ImageSpec(width, height, "i420" if planes else profile.colour, profile.fit, profile.pad)
        self._compiled: Any = _compile(model, self._plan, profile, self._image, self._precision, threads)
        shapes = [self._compiled.output(number).partial_shape for number in self._plan.outputs]
        if all(shape.is_static for shape in shapes):
            decoder.check(*(tuple(shape.to_shape()) for shape in shapes))
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
        return OpenVinoSlot(self._compiled.create_infer_request(), self._plan, self._image, self._decoder)

    def close(self) -> None:
        """See `Detector`; memory is free once the slots are gone too."""
        self._compiled = None


class OpenVinoSlot:
    """A request of a compiled model."""

    def __init__(self, request: Any, plan: Plan, image: ImageSpec, decoder: Decoder) -> None:
        import openvino

        self._request, self._outputs, self._decoder = request, plan.outputs, decoder
        self._picture = np.full(image.shape(), image.pad, np.uint8)
        batch = self._picture[None, ..., None] if image.layout == "i420" else self._picture[None]
        request.set_input_tensor(plan.picture, openvino.Tensor(batch, shared_memory=True))
        if plan.sizes is not None:
            size = np.array([[image.width, image.height]], plan.sizes_dtype)
            request.set_input_tensor(plan.sizes, openvino.Tensor(size))

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
            outputs = [self._request.get_output_tensor(number).data for number in self._outputs]
        except RuntimeError as exc:
            raise EngineError(f"OpenVINO failed on a picture: {reason(exc)}") from exc
        self._decoder.check(*(output.shape for output in outputs))
        return self._decoder(*outputs)


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
    plan = plan_of(path.name, "", *_ports(model))
    if model.is_dynamic():
        _reshape(model, plan, _fixed_size(model, plan) or imgsz, path.name)
    shape = model.output(0).partial_shape
    return tuple(shape.to_shape()) if shape.is_static else ()


def _read(path: Path) -> Any:
    import openvino

    try:
        capitals = path.suffix == ".XML"  # its weights are then looked for under ".bin" all the same
        weights = path.with_suffix(".BIN") if capitals and path.with_suffix(".BIN").is_file() else ""
        model = openvino.Core().read_model(path, weights)
    except RuntimeError as exc:
        hint = ""
        if "outside the base directory" in str(exc):  # links, as a hub's cache has them
            hint = f"; sightline models add copies model and weights together, {setting('engine', 'onnx')} reads them where they are"
        raise Misconfigured(
            f"{path.name}: OpenVINO cannot read it as a network: {reason(exc, path)}{hint}", code="model"
        ) from exc
    return model


def _ports(model: Any) -> tuple[list[Port], list[Port]]:
    inputs, outputs = ([_port(node) for node in nodes] for nodes in (model.inputs, model.outputs))
    return inputs, outputs


def _port(node: Any) -> Port:
    shape = node.partial_shape
    sides = () if shape.rank.is_dynamic else tuple(None if s.is_dynamic else s.get_length() for s in shape)
    name = min(node.get_names(), default="")
    return Port(name, numpy_name(node.get_element_type().get_type_name()), sides)


def _fixed_size(model: Any, plan: Plan) -> tuple[int, int] | None:
    shape = _port(model.input(plan.picture)).shape
    height, width = shape[1:3] if plan.nhwc else shape[2:]
    return None if height is None or width is None else (width, height)


def _reshape(model: Any, plan: Plan, size: tuple[int, int], name: str) -> None:
    shapes = {plan.picture: list(plan.shape(*size))}
    if plan.sizes is not None:
        shapes[plan.sizes] = [1, 2]
    try:
        model.reshape(shapes)
    except RuntimeError as exc:
        raise Misconfigured(f"{name} does not take {size[0]}x{size[1]}: {reason(exc)}", code="imgsz") from exc


def _compile(
    model: Any, plan: Plan, profile: Profile, image: ImageSpec, precision: Precision, threads: int
) -> Any:
    import openvino

    if model.is_dynamic():
        _reshape(model, plan, (image.width, image.height), profile.name)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "NUM_STREAMS": threads,
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # a core that others use too is not worth waiting for
    }
    try:
        return openvino.Core().compile_model(_with_bytes_in(model, plan, profile, image), "CPU", settings)
    except RuntimeError as exc:
        raise Misconfigured(
            f"{profile.name}: OpenVINO cannot compile it: {reason(exc)}", code="model"
        ) from exc


def _with_bytes_in(model: Any, plan: Plan, profile: Profile, image: ImageSpec) -> Any:
    """The model behind a graph that makes its input of a picture in bytes, and float32 of its outputs."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    prepost = PrePostProcessor(model)
    source, steps = prepost.input(plan.picture).tensor(), prepost.input(plan.picture).preprocess()
    source.set_element_type(Type.u8)
    if image.layout == "i420":
        source.set_color_format(ColorFormat.I420_SINGLE_PLANE)
        steps.convert_color(ColorFormat.BGR if profile.colour == "bgr" else ColorFormat.RGB)
    else:
        source.set_layout(Layout("NHWC"))
    if not takes_bytes(profile, plan.dtype):
        steps.convert_element_type(Type.f32)
        if profile.scale != 1.0:
            steps.scale(profile.scale)
        if not profile.is_plain:
            steps.mean(list(profile.mean))
            steps.scale(list(profile.std))
    prepost.input(plan.picture).model().set_layout(Layout("NHWC" if plan.nhwc else "NCHW"))
    for number in plan.outputs:
        if _port(model.output(number)).dtype in ("float16", "float64", "bfloat16"):
            prepost.output(number).tensor().set_element_type(Type.f32)
    return prepost.build()
