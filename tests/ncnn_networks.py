"""Small networks of ncnn, written as ncnn's own tools write them, and the same in torch."""

import struct

import numpy as np
import torch
from torch.nn import functional

FLOAT16 = 0x01306B47


class Writer:
    """Lines of a `.param` file and bytes of a `.bin` file, layer by layer."""

    def __init__(self, bits=32):
        self.bits, self.lines, self.blobs, self.data = bits, [], 0, b""
        self.draw = torch.Generator().manual_seed(0)

    def layer(self, kind, inputs, outputs, values=""):
        name, self.blobs = f"{kind}_{len(self.lines)}", self.blobs + len(outputs)
        self.lines.append(f"{kind:24} {name:24} {len(inputs)} {len(outputs)} {' '.join([*inputs, *outputs, values])}")

    def numbers(self, *shape, tagged=True):
        values = 0.3 * torch.randn(*shape, generator=self.draw)
        if not tagged:
            self.data += values.numpy().astype("<f4").tobytes()
        elif self.bits == 32:
            self.data += struct.pack("<I", 0) + values.numpy().astype("<f4").tobytes()
        else:
            halves = values.numpy().astype("<f2").tobytes()
            self.data += struct.pack("<I", FLOAT16) + halves + b"\0" * (-len(halves) % 4)
            values = torch.from_numpy(values.numpy().astype("<f2").astype(np.float32))
        return values

    def convolution(self, given, made, into, out, side, values=""):
        self.layer(
            "Convolution", [given], [made], f"0={out} 1={side} 4={side // 2} 5=1 6={out * into * side**2} {values}"
        )
        return self.numbers(out, into, side, side), self.numbers(out, tagged=False)

    def write(self, path):
        path.write_text("\n".join(["7767517", f"{len(self.lines)} {self.blobs}", *self.lines]) + "\n")
        path.with_suffix(".bin").write_bytes(self.data)
        return path


def every_layer(bits=32):
    """All kinds of layers in one network that doubles a picture, and what it computes."""
    to = Writer(bits)
    to.layer("Input", [], ["data"])
    to.layer("Split", ["data"], ["left", "right", "1", "2", "3"])
    first = to.convolution("left", "a", 3, 5, 3, "9=2 -23310=1,2.000000e-01")
    to.layer("PReLU", ["a"], ["b"], "0=5")
    slopes = to.numbers(5, tagged=False)
    to.layer("Concat", ["b", "right"], ["c"])
    second = to.convolution("c", "d", 8, 12, 1)
    to.layer("PixelShuffle", ["d"], ["e"], "0=2")
    for method, name in enumerate("fgh", start=1):
        to.layer("Interp", [str(method)], [name], f"0={method} 1=2.000000e+00 2=2.000000e+00")
    to.layer("Eltwise", ["e", "f", "g"], ["i"], "0=1 -23301=3,1.000000e+00,5.000000e-01,2.000000e-01")
    to.layer("BinaryOp", ["i", "h"], ["out"])

    def compute(picture):
        a = functional.prelu(functional.leaky_relu(functional.conv2d(picture, *first, padding=1), 0.2), slopes)
        e = functional.pixel_shuffle(functional.conv2d(torch.cat([a, picture], dim=1), *second), 2)
        near, line, cube = (
            functional.interpolate(picture, scale_factor=2, mode=m) for m in ("nearest", "bilinear", "bicubic")
        )
        return e + 0.5 * near + 0.2 * line + cube

    return to, compute
