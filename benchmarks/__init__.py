"""What does each gateway cost? Measures Headgate beside others on one machine.

Run it with ``python -m benchmarks`` from the root of the repository; docs/benchmarks.md tells what
is measured and how to read it. Nothing here is asserted by a test.
"""
