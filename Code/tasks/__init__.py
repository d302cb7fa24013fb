"""Uses of codes and autoencoders, as pure functions of arrays."""

# In the order of the report; `python -m Code.use` lists these descriptions
USES = {
    "reconstruct": "send images through the autoencoder and say what is lost",
    "reduce": "map images into the plane, and say how far the map can be trusted",
    "denoise": "remove noise from images",
    "fill": "fill the missing pixels of images, or the missing cells of a table",
    "anomaly": "find images that are unlike those the model was trained on",
    "features": "classify from few labels, with the code as features",
    "cluster": "sort images into groups without labels",
    "generate": "draw new images, or go from one image to another",
    "disentangle": "show what each unit of the code stands for, and change it",
    "resize": "enlarge small images",
    "segment": "say which pixels of a cluttered picture are ink of the digit",
    "style": "write one digit in the style of another",
}
