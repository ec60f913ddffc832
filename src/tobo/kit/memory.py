"""The C library's allocator, told to keep what it has, where bodies come and go by the thousand, or to give it back."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_KEEP = 16 << 20


def keep_freed_memory() -> None:
    """Lets this process keep up to 16 MiB of freed memory instead of giving it back after each request.

    Giving back and fetching again costs a page fault every 4 KiB: 14 of them, about 50 us, for a body of 50 kB.
    mallopt(3) of glibc; other systems are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in ((_TRIM_THRESHOLD, _KEEP), (_TOP_PAD, 1 << 20), (_MMAP_THRESHOLD, _KEEP)):
            mallopt(option, value)


def share_one_arena() -> None:
    """Lets all threads of this process allocate from one arena: less speed under load, megabytes less a thread."""
    if sys.platform.startswith("linux") and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_ARENA_MAX, 1)


def give_back_freed_memory() -> None:
    """Returns what loading has left behind to the system (malloc_trim(3) of glibc); for a process that stays long."""
    if sys.platform.startswith("linux") and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
