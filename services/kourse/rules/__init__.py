"""Pure rules that services, the operator and the command line share.

Nothing here performs I/O, reads a clock or draws from a hidden source of randomness: times, seeds and
parameters come in as arguments, so every result can be computed again.
"""
