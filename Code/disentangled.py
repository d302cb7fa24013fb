"""What the disentangled variational autoencoders share: how their code is measured and shown."""

from Code.latent import active_units, gaussian_total_correlation, sampled_codes, traversal
from Code.vae import VAE


class DisentangledVAE(VAE):
    """A VAE whose loss asks the units of its code to be independent; the subclass says how."""

    def diagnostics(self, x, y):
        """``active_units`` of the code, and ``gaussian_tc``, its total correlation in nats."""
        return {
            "active_units": active_units(self.encode(x)),
            "gaussian_tc": gaussian_total_correlation(sampled_codes(self, x)),
        }

    def views(self, x, y):
        """``traversal``: one row of ten images a unit, the most used units first."""
        return {"traversal": traversal(self, self.encode(x[:1000]))}
