"""Usage and cost of every call: the record, its price, its writing and its sums."""
