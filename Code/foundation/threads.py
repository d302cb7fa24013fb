"""One thread a process, where several processes share the cores.

What a run comes to then does not depend on how many runs are side by side, and small networks gain
more from several processes at once than from several threads: two processes of two threads each,
on two cores, wait for one another.
"""

# Read by NumPy and TensorFlow when they are loaded, and not again
ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
