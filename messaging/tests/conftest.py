from rooms.tests.conftest import ann, ben, boss, eve

__all__ = ["ann", "ben", "boss", "eve"]
