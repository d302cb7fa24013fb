"""Keep the memory that a training step frees, so that the next step can use it again.

A training frees and allocates the same few megabytes thousands of times. Each time, the C library
of Linux returns blocks of that size to the kernel, which clears every page before it hands the page
out again; for the dense networks here that took longer than the arithmetic.
"""

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # from glibc's malloc.h
LARGEST_BLOCK = 32 << 20  # bytes; glibc accepts no larger value
TOP_PAD = 64 << 20
NEVER = 2**31 - 1


@cache
def keep_freed_memory():
    """Tell the C library, once, to keep freed memory in the process; do nothing without glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_TOP_PAD, TOP_PAD)
