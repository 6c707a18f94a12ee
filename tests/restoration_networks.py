"""Small random networks of spandrel's own classes: one of every architecture that imports, and some that do not."""

import importlib

import torch
from torch import nn

WINDOWS = {"embed_dim": 16, "depths": [2], "num_heads": [2], "window_size": 8}


def built(architecture, name=None, **options):
    torch.manual_seed(0)
    network = getattr(importlib.import_module(f"spandrel.architectures.{architecture}"), name or architecture)(
        **options
    )
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0.0, layer.weight[0].numel() ** -0.5)
    return network


def span(**options):
    network = built("SPAN", num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2, **options)
    for layer in (network.conv_1.conv[0], network.conv_1.sk):
        layer.weight.data /= network.img_range if network.is_norm else 1.0  # as training would
    return network


def esrgan(**options):
    return built("ESRGAN", num_filters=8, num_blocks=1, scale=4, **options)


def drunet():
    return built("DRUNet", in_nc=4, out_nc=3, nc=[8, 8, 8, 8], nb=2)


def swin(architecture="SwinIR", **options):
    return built(architecture, **WINDOWS, **options)


EXACT = {
    "Compact": lambda: built("Compact", num_feat=8, num_conv=2, upscale=2),
    "DnCNN": lambda: built("DnCNN", nc=8, nb=4),
    "ESRGAN": esrgan,
    "ESRGAN+": lambda: esrgan(plus=True),
    "MoSR": lambda: built("MoSR", n_block=2, dim=16, upscale=2),
    "SPAN": span,
    "SPAN, no_norm": lambda: span(norm=False),
    "SwiftSRGAN": lambda: built("SwiftSRGAN", num_channels=16, num_blocks=2, upscale_factor=2),
}
"""Those that may be run in tiles."""

STATISTICS = {"RCAN": lambda: built("RCAN", n_resgroups=1, n_resblocks=1, n_feats=16, scale=2)}
"""Those that take means over the whole picture."""

WHOLE = {
    "CRAFT": lambda: built("CRAFT", embed_dim=48, depths=[2], num_heads=[6], upscale=2),
    "DAT": lambda: built("DAT", embed_dim=64, split_size=[8, 8], depth=[4], num_heads=[2], upscale=2),
    "DCTLSA": lambda: built("DCTLSA", nf=20, num_modules=6, upscale=2, num_head=5),
    "DITN": lambda: built("DITN", dim=16, ITL_blocks=1, SAL_blocks=1, upscale=2),
    "DRCT": lambda: built(
        "DRCT", embed_dim=32, depths=(6,), num_heads=(2,), window_size=8, upscale=2, upsampler="pixelshuffle", gc=8
    ),
    "DRUNet": drunet,
    "ESRGAN, 2x": lambda: esrgan(in_nc=12, shuffle_factor=2),
    "FFTformer": lambda: built("FFTformer", dim=8, num_blocks=[1, 1, 1], num_refinement_blocks=1),
    "HAT": lambda: built("HAT", embed_dim=60, depths=(2,), num_heads=(2,), window_size=8, upscale=2),
    "MixDehazeNet": lambda: built("MixDehazeNet", embed_dims=[8, 16, 32, 16, 8]),
    "MoESR": lambda: built("MoESR", dim=16, n_blocks=1, n_block=1, upsample_dim=16, scale=2),
    "NAFNet": lambda: built("NAFNet", width=8, middle_blk_num=1, enc_blk_nums=[1], dec_blk_nums=[1]),
    "OmniSR": lambda: built("OmniSR", num_feat=16, up_scale=2),
    "PLKSR": lambda: built("PLKSR", dim=16, n_blocks=2, upscaling_factor=2),
    "RealCUGAN": lambda: built("RealCUGAN", "UpCunet2x"),
    "RealPLKSR": lambda: built("PLKSR", "RealPLKSR", dim=16, n_blocks=2, upscaling_factor=2),
    "RealPLKSR, dysample": lambda: built("PLKSR", "RealPLKSR", dim=16, n_blocks=2, upscaling_factor=2, dysample=True),
    "RetinexFormer": lambda: built("RetinexFormer", n_feat=8, stage=1),
    "SAFMN": lambda: built("SAFMN", dim=16, n_blocks=2, upscaling_factor=2),
    "SAFMNBCIE": lambda: built("SAFMNBCIE", dim=16, n_blocks=1, num_layers=1),
    "Swin2SR": lambda: swin("Swin2SR", upscale=2, upsampler="pixelshuffle"),
    "SwinIR": lambda: swin(upscale=2, upsampler="pixelshuffle"),
    "SwinIR, denoising": swin,
    "SwinIR, lightweight": lambda: swin(upscale=2, upsampler="pixelshuffledirect"),
    "SwinIR, real": lambda: swin(upscale=4, upsampler="nearest+conv"),
}
"""Those that are run as a whole."""

REFUSED = {
    "FDAT": lambda: built("FDAT", embed_dim=16, num_groups=1, depth_per_group=2, num_heads=2, scale=2, mid_dim=16),
    "RGT": lambda: built("RGT", embed_dim=64, depth=[2], num_heads=[2], upscale=2),
}
"""Those whose export is not right for every size."""
