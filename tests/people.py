"""Callers for tests that need no accounts."""

from accounts.callers import Caller

ANN = Caller(id=1, username="ann", is_admin=False)
BEN = Caller(id=2, username="ben", is_admin=False)
EVE = Caller(id=3, username="eve", is_admin=False)
BOSS = Caller(id=9, username="boss", is_admin=True)
