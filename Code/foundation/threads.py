"""One thread per process, where several processes share the cores.

The result of a run then does not depend on how many runs are in parallel. Small networks also gain
more from several processes than from several threads: on two cores, two processes of two threads
each wait for one another.
"""

# NumPy and TensorFlow read these only once, when they are loaded
ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
