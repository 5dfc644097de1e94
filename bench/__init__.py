"""Measures Foyer, and the stock way it is compared with, in one run on one machine: `python -m bench --help`."""
