"""The hand-written PyTorch with loss and gradient compiled by ``torch.compile``."""

import functools

import torch

from tests.benchmarks.contenders import torch_eager

train = functools.partial(torch_eager.train, compiled=torch.compile)
encoder = functools.partial(torch_eager.encoder, compiled=torch.compile)
