"""Keep the memory that a training step frees, so that the next step need not ask for it again.

A step frees and allocates the same few megabytes thousands of times. The C library of Linux hands
blocks of that size back to the kernel each time, which clears every page before lending it out
again; for the dense networks here that took longer than the arithmetic.
"""

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # of glibc's malloc.h
LARGEST_BLOCK = 32 << 20  # more than this glibc refuses
TOP_PAD = 64 << 20
NEVER = 2**31 - 1


@cache
def keep_freed_memory():
    """Tell the C library once to keep freed memory in the process; without glibc, do nothing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_TOP_PAD, TOP_PAD)
