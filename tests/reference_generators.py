"""The public layout of pytorch-CycleGAN-and-pix2pix and CUT, as plain torch: what imports are compared with."""

import torch
from torch import nn
from torch.nn import functional


class Skip(nn.Module):
    """One level of their U-Net: everything inside is `model`."""

    def __init__(self, layers, outermost=False):
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, maps):
        made = self.model(maps)
        return made if self.outermost else torch.cat([maps, made], 1)


class Block(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.conv_block = nn.Sequential(*layers)

    def forward(self, maps):
        return maps + self.conv_block(maps)


class Filter(nn.Module):
    """A fixed filter that lies in the state dict, as `filt`."""

    def __init__(self, channels, line, gain):
        super().__init__()
        line = torch.tensor(line)
        square = torch.outer(line, line)
        self.register_buffer("filt", (gain * square / square.sum()).repeat(channels, 1, 1, 1))


class Down(Filter):
    def __init__(self, channels):
        super().__init__(channels, [1.0, 2.0, 1.0], 1.0)

    def forward(self, maps):
        padded = functional.pad(maps, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.filt, stride=2, groups=maps.shape[1])


class Up(Filter):
    def __init__(self, channels):
        super().__init__(channels, [1.0, 3.0, 3.0, 1.0], 4.0)

    def forward(self, maps):
        padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
        made = functional.conv_transpose2d(padded, self.filt, stride=2, padding=2, groups=maps.shape[1])
        return made[:, :, 1:-1, 1:-1]


class Generator(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, picture):
        return self.model(picture)


NORMS = {
    "instance": lambda channels: nn.InstanceNorm2d(channels),
    "old-instance": lambda channels: nn.InstanceNorm2d(channels, track_running_stats=True),
    "batch": nn.BatchNorm2d,
    "none": lambda channels: nn.Identity(),
}


def resnet(*, blocks=2, norm="instance", dropout=False, antialias=(False, False), width=4, inputs=3, outputs=3):
    normed, bias = NORMS[norm], "instance" in norm
    down, up = antialias
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, width, 7, bias=bias), normed(width), nn.ReLU()]
    for channels in (width, 2 * width):
        convolution = nn.Conv2d(channels, 2 * channels, 3, 1 if down else 2, 1, bias=bias)
        layers += [convolution, normed(2 * channels), nn.ReLU(), *([Down(2 * channels)] if down else [])]
    for _ in range(blocks):
        half = [nn.ReflectionPad2d(1), nn.Conv2d(4 * width, 4 * width, 3, bias=bias), normed(4 * width)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(4 * width, 4 * width, 3, bias=bias), normed(4 * width)]
        layers.append(Block([*half, nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *again]))
    for channels in (4 * width, 2 * width):
        if up:
            layers += [Up(channels), nn.Conv2d(channels, channels // 2, 3, padding=1, bias=bias)]
        else:
            layers.append(nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, 1, bias=bias))
        layers += [normed(channels // 2), nn.ReLU()]
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, outputs, 7), nn.Tanh()]
    return lively(Generator(nn.Sequential(*layers)))


def unet(*, depth=5, norm="batch", dropout=False, width=4, inputs=3, outputs=3):
    normed, bias = NORMS[norm], "instance" in norm

    def down(one, other):
        return nn.Conv2d(one, other, 4, 2, 1, bias=bias)

    def up(one, other, own_bias=bias):
        return nn.ConvTranspose2d(one, other, 4, 2, 1, bias=own_bias)

    widths = [width * min(2**level, 8) for level in range(depth)]
    last = widths[-1]
    inside = Skip([nn.LeakyReLU(0.2), down(widths[-2], last), nn.ReLU(), up(last, widths[-2]), normed(widths[-2])])
    for level in range(depth - 2, 0, -1):
        outer, inner = widths[level - 1], widths[level]
        drops = [nn.Dropout(0.5)] if dropout and outer == inner else []
        before = [nn.LeakyReLU(0.2), down(outer, inner), normed(inner)]
        inside = Skip([*before, inside, nn.ReLU(), up(2 * inner, outer), normed(outer), *drops])
    ends = [down(inputs, width), inside, nn.ReLU(), up(2 * width, outputs, True), nn.Tanh()]
    return lively(Generator(Skip(ends, outermost=True)))


def lively(network):
    """Weights, shifts and statistics that all show in the output, and keep numbers of order 1."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            fan = layer.weight[0].numel() if isinstance(layer, nn.Conv2d) else layer.weight[:, 0].numel() / 4
            nn.init.normal_(layer.weight, 0.0, fan**-0.5)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, 0.0, 0.2)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.3)
            nn.init.normal_(layer.bias, 0.0, 0.3)
        if isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d) and layer.running_mean is not None:
            layer.running_mean.normal_(0.0, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
    return network


def as_their_test_script(network, *, evaluation=False):
    """Train mode as their test.py without --eval has it, but for dropout's noise; or evaluation mode."""
    network.train(not evaluation)
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    return network
