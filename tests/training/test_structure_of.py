"""The blocks of a variant's drawing: what runs beside what, and what is no layer."""

import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS, TABLE
from Code.figures.structure import structure
from Code.foundation.names import load
from Code.training.layerwise import model_settings
from Code.training.procedure import MANIFOLD_SIDE, decoded_plane, meets_prior, structure_of

# One row of every class
ROWS = {row.model: row.name for row in TABLE if row.model}
SOON = ("cvae-16", "vae-16", "aae-16", "factor-vae-16", "vq-vae-16", "masked-16", "dae-16")


def blocks_of(name):
    row = EXPERIMENTS[name]
    settings = model_settings(row.settings)
    model = load(row.model)(image_shape=(28, 28), **settings)
    return {block["title"]: block for block in structure_of(model, row.noise_once)}, model


def names(block):
    return [layer[0] for layer in block["layers"]]


@pytest.mark.parametrize(
    "name",
    [n if n in SOON else pytest.param(n, marks=pytest.mark.slow) for n in sorted(ROWS.values())],
)
def test_every_network_can_be_drawn_and_has_all_its_weights(name, seeded):
    blocks, model = blocks_of(name)
    assert structure(list(blocks.values()), name).axes
    for title in ("encoder", "decoder"):
        weights = sum(layer[2] for layer in blocks[title]["layers"])
        assert weights == getattr(model, title).count_params()


@pytest.mark.parametrize("name", ["vae-bce", "iwae-2", "factor-vae-2", "cvae-2"])
def test_a_vae_draws_z_between_encoder_and_decoder(name, seeded):
    blocks, _ = blocks_of(name)
    order = list(blocks)
    assert order.index("encoder") < order.index("sample") < order.index("decoder")
    assert "μ + σ ε" in names(blocks["sample"])[0]
    sources = blocks["encoder"]["sources"]
    assert sources[-1] == sources[-2]


def test_the_labeller_of_a_cvae_runs_beside_the_image(seeded):
    encoder = blocks_of("cvae-16")[0]["encoder"]
    join = names(encoder).index("Concatenate")
    assert len(encoder["sources"][join]) == 2
    assert "Dense 10, softmax" in [names(encoder)[s] for s in encoder["sources"][join]]


@pytest.mark.parametrize("name, read", [("aae-16", "encoder"), ("factor-vae-16", "sample")])
def test_a_discriminator_reads_codes(name, read, seeded):
    blocks, model = blocks_of(name)
    assert blocks["discriminator"]["from"] == read
    weights = sum(layer[2] for layer in blocks["discriminator"]["layers"])
    assert weights == model.discriminator.count_params()


def test_noise_masks_and_codebooks_have_their_place(seeded):
    told = {
        "dae-16": ("in training", "gaussian noise, 0.5"),
        "cae-denoising": ("in training", "gaussian noise, 0.5"),
        "dae-published": ("once, before training", "Gaussian noise, 0.5"),
        "masked-16": ("in training", "12 of 16 patches are hidden"),
        "vq-vae-16": ("codebook", "the nearest of 512 entries"),
    }
    for name, (title, what) in told.items():
        blocks, _ = blocks_of(name)
        assert names(blocks[title]) == [what]
        assert (next(iter(blocks)) == title) == (title != "codebook")


class Plane:
    """A decoder that gives back its point, as an image of two pixels."""

    def decode(self, codes):
        return codes.reshape(-1, 1, 2)


def test_a_code_that_lives_elsewhere_is_decoded_where_it_lives():
    codes = np.random.default_rng(0).normal([-10, 6], [4, 1], (5000, 2))
    assert not meets_prior(codes)
    found = decoded_plane(Plane(), codes)
    low, high = np.quantile(codes, [0.01, 0.99], axis=0)
    for axis, name in enumerate(("manifold_x", "manifold_y")):
        np.testing.assert_allclose(found[name][[0, -1]], [low[axis], high[axis]])
        np.testing.assert_allclose(np.diff(found[name]), np.diff(found[name])[0])
    # The first row of tiles is the top one
    top_left = found["manifold"][0, 0, 0]
    np.testing.assert_allclose(top_left, [low[0], high[1]], rtol=1e-5)


def test_a_code_with_its_prior_is_decoded_over_normal_quantiles():
    codes = np.random.default_rng(0).normal(size=(5000, 2))
    assert meets_prior(codes)
    points = decoded_plane(Plane(), codes)["manifold_x"]
    shares = [(codes[:, 0] < point).mean() for point in points]
    np.testing.assert_allclose(shares, (np.arange(MANIFOLD_SIDE) + 0.5) / MANIFOLD_SIDE, atol=0.03)


def test_as_published_the_square_goes_from_minus_four_to_four():
    found = decoded_plane(Plane())
    assert found["manifold"].shape == (30, 30, 1, 2)
    np.testing.assert_allclose(found["manifold_x"], np.linspace(-4, 4, 30))
