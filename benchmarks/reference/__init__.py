"""Training as the field does it: pix2pix, CycleGAN and a compact enlarger, written plainly from the papers.

This is what the library is measured against, in speed and in quality. It shares no code with it. Eager fp32 PyTorch:
`nn.Conv2d`, `nn.BatchNorm2d`, `nn.InstanceNorm2d`, one `torch.optim.Adam` a side, the published order of steps,
discriminators frozen in the generators' step, `cudnn.benchmark`, PyTorch's own TF32 settings, and losses left on the
device until somebody prints them (the published code prints every 100 iterations). No trick, and nothing slowed down.
"""
