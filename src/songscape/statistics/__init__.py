"""Permutations, intervals, subsampling, multiple tests."""
