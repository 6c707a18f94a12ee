"""The residual generator: two halvings, a row of residual blocks, two doublings.

Johnson et al., https://arxiv.org/abs/1603.08155, as used by CycleGAN, https://arxiv.org/abs/1703.10593.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.autocasting import ReflectionPad2d
from translate.networks.blocks import dropout_layer, halving_stage
from translate.networks.choice import at_least, choose
from translate.networks.norm import Norm, needs_bias, norm_layer, tiling_with
from translate.networks.receptive import Step, sight
from translate.networks.resample import Doubling, Halving, Resampling, blurred, nearest, smooth, strided, transposed

_HALVINGS: dict[str, Halving] = {
    "paper": strided(kernel=3),
    "blur": blurred(kernel=3, taps=3),
    "nearest": strided(kernel=3),
}
_DOUBLINGS: dict[str, Doubling] = {"paper": transposed(kernel=3), "blur": smooth(), "nearest": nearest()}
_HALVED_TIMES = 2


class ResNet(nn.Module):
    """N x `inputs` x H x W in [-1, 1] to N x `outputs` x H x W in [-1, 1]; H and W are multiples of 4, at least 8.

    The paper has 9 `blocks` for 256 px and 6 for 128 px. `dropout` acts inside every block (the paper's is 0).
    The least size comes from the reflected border of the blocks, which needs two pixels at a quarter of the size.

    `receptive_field_px` is the side of the square that one output pixel sees through the convolutions (169 for the
    paper's), `context_px` how far it reaches to one side: cut at multiples of 4 px and with that border, tiles come
    out as in the whole picture. That holds without a norm or with batch norm's running statistics; instance norm
    sees everything.
    """

    def __init__(
        self,
        *,
        inputs: int = 3,
        outputs: int = 3,
        width: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        resampling: Resampling = "paper",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        halving = choose(_HALVINGS, resampling, "resampling")
        doubling = choose(_DOUBLINGS, resampling, "resampling")
        inner = width * 2**_HALVED_TIMES
        self.size_rule = SizeRule(multiple_of_px=2**_HALVED_TIMES, at_least_px=2 ** (_HALVED_TIMES + 1))
        self.tiling: Tiling = tiling_with(norm)
        seen = sight(_steps(halving, doubling, at_least(1, blocks, "blocks")), period=2**_HALVED_TIMES)
        self.receptive_field_px, self.context_px = seen.field_px, seen.context_px
        self.head = nn.Sequential(*_same_size(inputs, width, kernel=7, norm=norm), nn.ReLU())
        self.down = nn.Sequential(*_encoder(halving, width, norm))
        self.blocks = nn.Sequential(*(ResidualBlock(channels=inner, norm=norm, dropout=dropout) for _ in range(blocks)))
        self.up = nn.Sequential(*_decoder(doubling, width, norm))
        self.tail = nn.Sequential(ReflectionPad2d(3), nn.Conv2d(width, outputs, 7), nn.Tanh())

    def forward(self, picture: Tensor) -> Tensor:
        """The translated picture, of the same height and width."""
        return self.tail(self.up(self.blocks(self.down(self.head(picture)))))


class ResidualBlock(nn.Module):
    """x + f(x) on N x `channels` x H x W; f is two 3 x 3 convolutions with reflected borders, H and W at least 2."""

    def __init__(self, *, channels: int, norm: Norm, dropout: float = 0.0) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_same_size(channels, channels, kernel=3, norm=norm),
            nn.ReLU(),
            dropout_layer(dropout),
            *_same_size(channels, channels, kernel=3, norm=norm),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape; no activation after the sum."""
        return maps + self.residual(maps)


def _same_size(inputs: int, outputs: int, *, kernel: int, norm: Norm) -> Iterator[nn.Module]:
    yield ReflectionPad2d(kernel // 2)
    yield nn.Conv2d(inputs, outputs, kernel, bias=needs_bias(norm))
    yield norm_layer(norm, outputs)


def _encoder(halving: Halving, width: int, norm: Norm) -> Iterator[nn.Module]:
    for channels in (width * 2**level for level in range(_HALVED_TIMES)):
        yield halving_stage(halving, channels, 2 * channels, norm=norm, bias=needs_bias(norm), activation=nn.ReLU())


def _decoder(doubling: Doubling, width: int, norm: Norm) -> Iterator[nn.Module]:
    for channels in (width * 2**level for level in range(_HALVED_TIMES, 0, -1)):
        layer = doubling.build(channels, channels // 2, needs_bias(norm))
        yield nn.Sequential(layer, norm_layer(norm, channels // 2), nn.ReLU())


def _steps(halving: Halving, doubling: Doubling, blocks: int) -> list[Step]:
    end, block = Step(kernel=7, padding=3), [Step(kernel=3, padding=1)] * 2
    return [end, *halving.steps * _HALVED_TIMES, *block * blocks, *doubling.steps * _HALVED_TIMES, end]
