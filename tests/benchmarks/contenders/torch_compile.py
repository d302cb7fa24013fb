"""The hand-written PyTorch with loss and gradient compiled by ``torch.compile``."""

import functools

import torch

from tests.benchmarks.contenders import torch_eager

train = functools.partial(torch_eager.train, compiled=torch.compile)
encode = functools.partial(torch_eager.encode, compiled=torch.compile)
