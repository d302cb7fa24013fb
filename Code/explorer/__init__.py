"""The latent explorer: trained autoencoders in one page that needs no server and no network."""
