"""What guards cost: latency by guard and size, streams in which values are put back, memory."""
