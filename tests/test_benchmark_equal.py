"""The contenders of the benchmark do the same work: equal weights, equal order, equal losses."""

import pytest

from Code.reporting.benchmark import PLAIN
from tests.benchmarks.clock import Clock
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.limit import step_products
from tests.benchmarks.networks import BATCH_SIZE, NETWORKS

DETERMINISTIC = [n for n in NETWORKS.values() if n.kind != "vae"]
N = 640
TRAINED = {}

pytestmark = pytest.mark.xla


def loss_of(contender, network):
    """The loss of one epoch from the same weights in the order of the images."""
    key = contender, network.name
    if key not in TRAINED:
        clock = Clock()
        CONTENDERS[contender].load().train(
            network,
            network.images(N),
            BATCH_SIZE,
            1,
            clock,
            shuffle=False,
            weights=network.initial_weights(),
        )
        TRAINED[key] = clock.losses[-1]
    return TRAINED[key]


# PyTorch adds Adam's ε after the second moment's bias is corrected, Keras before it, which shows
# where gradients are as small as ε: in the deep network's first steps.
RELATIVE = {"ours": 0.0, "jax_epoch": 0.0, "torch_eager": 0.03}

TRAINING = [
    pytest.param(name, marks=[pytest.mark.needs(extra) for extra in CONTENDERS[name].needs])
    for name in RELATIVE
]


# Keras on JAX cannot run in a process that has Keras on TensorFlow; the hand-written ones can.
@pytest.mark.slow
@pytest.mark.parametrize("network", DETERMINISTIC, ids=lambda n: n.name)
@pytest.mark.parametrize("contender", TRAINING)
def test_one_epoch_gives_the_same_loss(contender, network):
    expected = pytest.approx(loss_of(PLAIN, network), abs=1e-4, rel=RELATIVE[contender])
    assert loss_of(contender, network) == expected


@pytest.mark.slow
@pytest.mark.parametrize("contender", TRAINING)
def test_the_vae_differs_by_its_own_noise_only(contender):
    network = NETWORKS["vae"]
    assert loss_of(contender, network) == pytest.approx(loss_of(PLAIN, network), rel=0.02)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda n: n.name)
def test_every_contender_has_the_weights_that_are_counted(network):
    from tests.benchmarks.contenders import keras_fit, ours

    kernels = [tuple(v.shape) for v in ours.build(network).trained_variables if len(v.shape) > 1]
    assert kernels == network.shapes
    model, _ = keras_fit.build(network)
    assert [tuple(v.shape) for v in model.trainable_variables] == [
        w.shape for w in network.initial_weights()
    ]


def test_arithmetic_of_the_shallow_network():
    # 784·2 forward either way; gradients of both kernels; gradient of the code alone
    assert NETWORKS["ae"].multiply_adds() == 5 * 784 * 2
    assert NETWORKS["ae"].gflop(60_000) == pytest.approx(0.9408)


def test_arithmetic_of_the_convolutions():
    forward = 9 * (28**2 * 16 + 14**2 * 16 * 8 + 7**2 * 8 * 8 + 14**2 * 8 * 16 + 28**2 * 16)
    assert NETWORKS["cae"].multiply_adds() == 3 * forward - 9 * 28**2 * 16


@pytest.mark.parametrize(
    "network", [n for n in NETWORKS.values() if n.kind != "conv"], ids=lambda n: n.name
)
def test_the_products_of_a_step_are_the_arithmetic_of_the_network(network):
    products = step_products(network.shapes, BATCH_SIZE)
    multiply_adds = sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b, _ in products)
    assert multiply_adds == network.multiply_adds() * BATCH_SIZE
