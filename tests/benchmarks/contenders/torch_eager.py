"""Hand-written PyTorch, step by step: convolutions channels last, Adam as one fused update."""

import itertools
import os

import torch
import torch.nn.functional as F
from torch import nn

from Code.parts.images import to_unit
from tests.benchmarks.networks import PIXELS, SIDE

ACTIVATIONS = {"linear": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def inputs(network, images):
    """Floats in [0, 1]: ``(n, 784)``, or ``(n, 1, 28, 28)`` channels last for convolutions."""
    return as_input(network, torch.from_numpy(to_unit(images)))


def as_input(network, x):
    """The same of a tensor ``(n, 28, 28)`` of floats."""
    if network.kind != "conv":
        return x.reshape(-1, PIXELS)
    return x.reshape(-1, 1, SIDE, SIDE).contiguous(memory_format=torch.channels_last)


def dense(width, layers):
    parts = []
    for units, activation in layers:
        parts += [nn.Linear(width, units), ACTIVATIONS[activation]()]
        width = units
    return nn.Sequential(*parts)


def convolution(a, b, activation):
    return [nn.Conv2d(a, b, 3, padding=1), ACTIVATIONS[activation]()]


def convolutions(widths, after):
    """3×3 convolutions with ReLU, each followed by ``after()``."""
    pairs = itertools.pairwise(widths)
    return [part for a, b in pairs for part in (*convolution(a, b, "relu"), after())]


class Net(nn.Module):
    """Encoder, decoder and the mean loss of a batch."""

    def __init__(self, network, weights):
        super().__init__()
        self.network = network
        if network.kind == "conv":
            filters = network.filters
            mirrored = [filters[-1], *reversed(filters)]
            self.encoder = nn.Sequential(*convolutions([1, *filters], lambda: nn.MaxPool2d(2)))
            self.decoder = nn.Sequential(
                *convolutions(mirrored, lambda: nn.Upsample(scale_factor=2)),
                *convolution(filters[0], 1, network.output_activation),
            )
        else:
            self.encoder = dense(PIXELS, network.encoder_layers)
            width = network.hidden[-1] if network.hidden else PIXELS
            if network.kind == "vae":
                self.mean = nn.Linear(width, network.code_dim)
                self.log_var = nn.Linear(width, network.code_dim)
            self.decoder = dense(network.code_dim, network.decoder_layers)
        self._load(weights)

    def _load(self, weights):
        parts = ["encoder", "mean", "log_var", "decoder"]
        named = [
            p for part in parts if hasattr(self, part) for p in getattr(self, part).parameters()
        ]
        for parameter, value in zip(named, weights, strict=True):
            value = torch.from_numpy(value)
            if value.ndim == 4:
                value = value.permute(3, 2, 0, 1)
            parameter.data.copy_(value.T if value.ndim == 2 else value)
        self.to(memory_format=torch.channels_last)

    def code(self, x):
        h = self.encoder(x)
        return (self.mean(h), self.log_var(h)) if self.network.kind == "vae" else h

    def error(self, x, x_hat):
        if self.network.loss == "mse":
            return F.mse_loss(x_hat, x)
        return F.binary_cross_entropy(x_hat, x)

    def forward(self, x):
        z = self.code(x)
        if self.network.kind != "vae":
            return self.error(x, self.decoder(z))
        mean, log_var = z
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        kl = -0.5 * torch.sum(1 + log_var - mean.square() - log_var.exp(), dim=1)
        return PIXELS * self.error(x, self.decoder(z)) + kl.mean()


def prepare():
    """As many threads as the run allows; reproducible order of batches."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    torch.manual_seed(0)


def train(
    network, images, batch_size, epochs, clock, shuffle=True, weights=None, compiled=lambda f: f
):
    prepare()
    net = Net(network, network.initial_weights() if weights is None else weights)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7, fused=True)
    x = inputs(network, images)
    loss_of = compiled(net)
    for _ in range(epochs):
        clock.start()
        order = torch.randperm(len(x)) if shuffle else torch.arange(len(x))
        total = torch.zeros(())
        for indices in order.split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(x[indices])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(indices)
        clock.stop(float(total) / len(x))


def encoder(network, compiled=lambda f: f):
    prepare()
    code = compiled(Net(network, network.initial_weights()).code)

    def encode(images, batch_size):
        found = []
        with torch.inference_mode():
            for batch in torch.from_numpy(images).split(batch_size):
                x = batch.float().div_(255) if batch.dtype == torch.uint8 else batch
                found.append(code(as_input(network, x)))
            # A VAE's code is its mean
            codes = torch.cat([each[0] if isinstance(each, tuple) else each for each in found])
        return codes.numpy()

    return encode
