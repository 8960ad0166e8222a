"""How a fuzzer is started by a test."""

from __future__ import annotations

APART = ("/bin/sh", "-c", '"$@"; exit $?', "apart")
"""
A small process between the test and the fuzzer, whose limit of memory is on the peak that the kernel knows of.

After an exec that peak begins with the memory of the process that was forked, which here holds thousands of tests.
"""
