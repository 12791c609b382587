"""Train the demo's detector from scratch on rendered scenes and export it to ONNX.

Needs `torch` and `onnx`, which the product does not: use an environment of its own. One process renders worlds
`FIRST`, `FIRST` + 1, ... in order while another trains; half of a batch is new, half comes from the last `POOL` images.
The schedule counts images, not minutes, so a busy machine takes longer and yields the same model.

usage: python -m tools.demo.train OUT.onnx [--images 18000]
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing as mp
import time
from collections.abc import Iterator
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .network import Tiny, save_onnx
from .scenes import LABELS
from .targets import FIRST, LEFT_OUT, STRIDE, Example, render_world

PER_WORLD = 14
BATCH, FRESH, POOL = 8, 4, 2000
RATE, WARM_UP, DECAY, CLIP = 2e-3, 100, 1e-2, 10.0
AVERAGE = 0.998  # of the weights that are kept
BOX_WEIGHT = 2.0
LOG_EVERY, SAVE_EVERY = 50, 500


def _render(queue: Queue[list[Example]], worlds: int) -> None:
    for seed in range(FIRST, FIRST + worlds):
        queue.put(render_world(seed))


def batches(steps: int) -> Iterator[list[Example]]:
    """Batches of `FRESH` new images, mixed from three worlds at a time, and older ones."""
    rng, context = np.random.default_rng(0), mp.get_context("fork")
    queue: Queue[list[Example]] = context.Queue(6)
    worlds = steps * FRESH // PER_WORLD + 9
    maker = context.Process(target=_render, args=(queue, worlds), daemon=True)
    maker.start()
    waiting: list[Example] = []
    pool: list[Example] = []
    try:
        for _ in range(steps):
            while len(waiting) < 3 * FRESH + 2 * PER_WORLD:
                waiting += queue.get()
            fresh = [waiting.pop(int(rng.integers(len(waiting)))) for _ in range(FRESH)]
            pool = (pool + fresh)[-POOL:]
            yield fresh + [pool[i] for i in rng.integers(0, len(pool), BATCH - FRESH)]
    finally:
        maker.kill()


def overlaps(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al. 2019) of boxes in pairs, both (n,)."""
    shared = (
        (torch.minimum(found[:, 2:], true[:, 2:]) - torch.maximum(found[:, :2], true[:, :2])).clamp(0).prod(1)
    )
    total = (found[:, 2:] - found[:, :2]).clamp(0).prod(1) + (true[:, 2:] - true[:, :2]).prod(1) - shared
    around = torch.maximum(found[:, 2:], true[:, 2:]) - torch.minimum(found[:, :2], true[:, :2])
    hull = around.clamp(0).prod(1).clamp(1e-6)
    iou = shared / total.clamp(1e-6)
    return iou, iou - (hull - total) / hull


def loss_of(logits: Tensor, sides: Tensor, class_ids: Tensor, boxes: Tensor) -> tuple[Tensor, float]:
    """Loss and mean IoU of a batch.

    A class score has to equal the IoU of its box (varifocal loss, Zhang et al. 2021); boxes follow generalised IoU.
    """
    h, w = logits.shape[2:]
    logits = logits.float().permute(0, 2, 3, 1).reshape(-1, len(LABELS))
    sides = sides.float().permute(0, 2, 3, 1).reshape(-1, 4) * STRIDE
    class_ids, boxes = class_ids.reshape(-1), boxes.reshape(-1, 4)
    k = (class_ids >= 0).nonzero().squeeze(1)
    cell = k % (h * w)
    cx, cy = (cell % w + 0.5) * STRIDE, (torch.div(cell, w, rounding_mode="floor") + 0.5) * STRIDE
    left, top, right, bottom = sides[k].unbind(1)
    iou, generalised = overlaps(torch.stack([cx - left, cy - top, cx + right, cy + bottom], 1), boxes[k])
    wanted = torch.zeros_like(logits)
    wanted[k, class_ids[k]] = iou.detach().clamp(0, 1)
    weight = torch.where(wanted > 0, wanted, 0.75 * logits.sigmoid().detach() ** 2)
    weight = weight * (class_ids != LEFT_OUT)[:, None]
    score = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weight
    loss = score.sum() / max(1, len(k))
    if not len(k):
        return loss, 0.0
    return loss + BOX_WEIGHT * (1 - generalised).mean(), float(iou.detach().mean())


def rate_at(step: int, steps: int) -> float:
    """Learning rate: a short warm-up, then a cosine down to a hundredth."""
    return RATE * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.no_grad()
def follow(average: dict[str, Tensor], net: Tiny, step: int) -> None:
    """Move the averaged weights towards those of `net`; faster at the beginning."""
    keep = min(AVERAGE, (1 + step) / (10 + step))
    for name, value in net.state_dict().items():
        if value.dtype.is_floating_point:
            average[name].lerp_(value, 1 - keep)
        else:
            average[name].copy_(value)


def train(path: Path, images: int) -> None:
    """Train on `images` images; write averaged weights to `path` every `SAVE_EVERY` steps and at the end."""
    torch.manual_seed(0)
    steps = images // BATCH
    net = Tiny().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    begin = time.monotonic()
    recent: list[tuple[float, float]] = []
    for step, batch in enumerate(batches(steps)):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps)
        inputs, class_ids, boxes = (torch.from_numpy(np.stack(part)) for part in zip(*batch, strict=True))
        inputs = inputs.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits, sides = net(inputs)
        loss, iou = loss_of(logits, sides, class_ids, boxes)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        follow(average, net, step)
        recent = [*recent, (loss.item(), iou)][-LOG_EVERY:]
        if (step + 1) % LOG_EVERY == 0:
            mean_loss, mean_iou = np.mean(recent, 0).round(3)
            done = {"images": (step + 1) * BATCH, "loss": float(mean_loss), "iou": float(mean_iou)}
            print(json.dumps({"s": round(time.monotonic() - begin), **done}), flush=True)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            save_onnx(average, path)


def main() -> None:
    """Train with as many threads as asked for."""
    parser = argparse.ArgumentParser(description="Train the demo's detector.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=18000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    train(args.out, args.images)


if __name__ == "__main__":
    main()
