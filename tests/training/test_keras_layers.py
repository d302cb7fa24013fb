import os

from Code.training.keras_layers import layers_of

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras

layers = keras.layers


def short(model):
    """Name, shape and parameters of a chain of layers."""
    rows = layers_of(model)
    assert [row[3] for row in rows] == [[], *([i] for i in range(len(rows) - 1))]
    return [row[:3] for row in rows]


def test_a_convolutional_model():
    x = keras.Input((28, 28, 1))
    y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = layers.MaxPooling2D(2)(y)
    y = layers.UpSampling2D(2)(y)
    y = layers.Flatten()(y)
    y = layers.Dense(128, activation="relu")(y)
    y = layers.Dense(2)(y)
    y = layers.Reshape((2, 1))(y)
    assert short(keras.Model(x, y)) == [
        ("Input", "28×28×1", 0),
        ("Conv 3×3 ×16, relu", "28×28×16", 160),
        ("Max-pool 2×2", "14×14×16", 0),
        ("Up-sample 2×2", "28×28×16", 0),
        ("Flatten", "12544", 0),
        ("Dense 128, relu", "128", 12544 * 128 + 128),
        ("Dense 2", "2", 258),
        ("Reshape", "2×1", 0),
    ]


def test_the_rarer_layers():
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, (3, 1), strides=2, padding="same", activation="sigmoid")(x)
    y = layers.Conv2DTranspose(2, 2, strides=2)(y)
    y = layers.AveragePooling2D(2)(y)
    y = layers.Activation("tanh")(y)
    y = layers.Dropout(0.25)(y)
    y = layers.GaussianNoise(0.5)(y)
    names = [name for name, _, _ in short(keras.Model(x, y))]
    assert names == [
        "Input",
        "Conv 3×1 ×4, stride 2×2, sigmoid",
        "Transposed conv 2×2 ×2, stride 2×2",
        "Mean-pool 2×2",
        "Activation tanh",
        "Dropout 0.25",
        "GaussianNoise",
    ]


def test_what_is_put_around_an_image_and_cut_off():
    x = keras.Input((5, 6, 3))
    y = layers.Cropping2D(1)(layers.ZeroPadding2D(((1, 2), (1, 1)))(x))
    assert short(keras.Model(x, y))[1:] == [("Border of zeros", "8×8×3", 0), ("Crop", "6×6×3", 0)]


def test_subclasses_read_as_what_they_are():
    class FastDense(layers.Dense):
        pass

    class Sampling(layers.Layer):
        def call(self, inputs):
            return inputs[0]

    x = keras.Input((4,))
    y = Sampling()([FastDense(2, activation="relu")(x), x])
    assert [row[:2] for row in layers_of(keras.Model(x, y))[1:]] == [
        ("Dense 2, relu", "2"),
        ("Sampling", "2"),
    ]


def test_nested_models_are_flattened_and_branches_are_told():
    x = keras.Input((784,))
    h = layers.Dense(16, activation="relu")(x)
    heads = [layers.Dense(2, name=name)(h) for name in ("z_mean", "z_log_var")]
    encoder = keras.Model(x, heads, name="encoder")
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(784, activation="sigmoid")])
    assert layers_of(encoder) == [
        ("Input", "784", 0, []),
        ("Dense 16, relu", "16", 784 * 16 + 16, [0]),
        ("z_mean: Dense 2", "2", 34, [1]),
        ("z_log_var: Dense 2", "2", 34, [1]),
    ]
    whole = keras.Input((784,))
    rows = layers_of(keras.Model(whole, decoder(encoder(whole)[0])), given="an image")
    assert rows[0][0] == "an image"
    assert rows[-1] == ("Dense 784, sigmoid", "784", 3 * 784, [2])
    assert sum(row[2] for row in rows) == encoder.count_params() + decoder.count_params()


def test_a_join_reads_all_of_its_branches_and_operations_are_no_layers():
    x = keras.Input((4, 4))
    flat, label = layers.Flatten()(x), layers.Dense(3, "softmax")(layers.Flatten()(x))
    told = keras.ops.one_hot(keras.ops.argmax(label, axis=-1), 3)
    rows = layers_of(keras.Model(x, layers.Concatenate()([flat, told])))
    places = {row[0]: i for i, row in enumerate(rows)}
    join, head = rows[places["Concatenate"]], places["Dense 3, softmax"]
    flats = [i for i, row in enumerate(rows) if row[0] == "Flatten"]
    assert sum(source in flats for source in join[3]) == 1 and head in join[3]
    assert rows[head][3] in ([flats[0]], [flats[1]]) and len(rows) == 5


def test_a_shared_layer_is_listed_with_its_first_shape():
    shared = layers.Dense(3)
    x = keras.Input((3,))
    assert layers_of(keras.Model(x, shared(shared(x))))[1:] == [("Dense 3", "3", 12, [0])]
