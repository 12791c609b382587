"""A tiny anchor-free detector, 0.59 million parameters, and its export to ONNX.

Strides 2 to 32 are merged back to 8, where two heads give class scores and distances to the four sides of a box.
ONNX: `images` float32 (N, 3, h, w), RGB in 0 to 1, h and w multiples of 32, to `output0` (N, 4 + classes, A) with
cx, cy, w, h in input pixels (the YOLOv8 layout, before suppression).
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .scenes import LABELS
from .targets import IN_H, IN_W, STRIDE

__all__ = ["Tiny", "save_onnx"]


class Conv(nn.Sequential):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(inplace=True),
        )


class Residual(nn.Module):
    """Adds what two convolutions through half the channels say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze, self.expand = Conv(channels, channels // 2, 1), Conv(channels // 2, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.expand(self.squeeze(x))


class Tiny(nn.Module):
    """Images to class logits (N, classes, h / 8, w / 8) and distances (N, 4, h / 8, w / 8) in cells."""

    def __init__(self) -> None:
        super().__init__()
        self.s4 = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), Residual(32))
        self.s8 = nn.Sequential(Conv(32, 64, 3, 2), Residual(64), Residual(64))
        self.s16 = nn.Sequential(Conv(64, 96, 3, 2), Residual(96), Residual(96))
        self.s32 = nn.Sequential(Conv(96, 128, 3, 2), Residual(128))
        self.l32, self.l16 = Conv(128, 96, 1), Conv(96, 64, 1)
        self.f16, self.f8, self.head = Conv(96, 96), Conv(64, 64), Conv(64, 64)
        self.classes, self.sides = nn.Conv2d(64, len(LABELS), 1), nn.Conv2d(64, 4, 1)
        nn.init.constant_(self.classes.bias, -math.log(99))
        nn.init.constant_(self.sides.bias, 1.5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        s8 = self.s8(self.s4(images))
        s16 = self.s16(s8)
        s16 = self.f16(s16 + _double(self.l32(self.s32(s16))))
        features = self.head(self.f8(s8 + _double(self.l16(s16))))
        return self.classes(features), functional.softplus(self.sides(features))


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Decoded(nn.Module):
    """The network with boxes in input pixels and scores in 0 to 1."""

    def __init__(self, net: Tiny) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        logits, sides = self.net(images)
        h, w = logits.shape[2:]
        cy = ((torch.arange(h, dtype=torch.float32) + 0.5) * STRIDE)[:, None].expand(h, w)
        cx = ((torch.arange(w, dtype=torch.float32) + 0.5) * STRIDE)[None].expand(h, w)
        left, top, right, bottom = (sides * STRIDE).unbind(1)
        boxes = [cx + (right - left) / 2, cy + (bottom - top) / 2, left + right, top + bottom]
        return torch.cat([torch.stack(boxes, 1), logits.sigmoid()], 1).flatten(2)


def save_onnx(weights: dict[str, Tensor], path: Path) -> None:
    """Write the network with `weights`; batch size, height and width stay open."""
    net = Tiny()
    net.load_state_dict(weights)
    torch.onnx.export(
        Decoded(net).eval(),
        (torch.zeros(1, 3, IN_H, IN_W),),
        str(path),
        opset_version=17,
        dynamo=False,
        input_names=["images"],
        output_names=["output0"],
        dynamic_axes={"images": {0: "n", 2: "h", 3: "w"}, "output0": {0: "n", 2: "a"}},
    )
