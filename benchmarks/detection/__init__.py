"""How well, and how fast, are personal data and secrets found? Headgate beside Presidio.

``python -m benchmarks --detection`` makes a labelled set, lets both read it, and prints precision,
recall, misses and speed.

The set shares nothing with the detector: names, streets, firms, numbers and most identifiers come
from Faker, the rest from the formulas in `values.py`, and no module here that makes it imports
Headgate. Its sentences were written before the detector was tuned; half of them are held out, and
their misses are not to be looked at when rules are changed.
"""
