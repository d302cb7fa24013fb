"""How large data may be, wherever they are read."""

# More than any usable data set (EMNIST, 0.64 GB), far less than a machine's memory
MAX_BYTES = 1_000_000_000
# Sides of an image in pixels
MIN_SIDE, MAX_SIDE = 4, 128
# Images that are nowhere brighter than this, of 1, are told
DARK = 0.1
