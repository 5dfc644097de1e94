from rooms.tests.conftest import ann, ben, boss, eve
from rooms.tests.test_order import room

__all__ = ["ann", "ben", "boss", "eve", "room"]
