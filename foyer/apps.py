from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class FoyerConfig(AppConfig):
    """The engine. What apps declare for it is found by the names of their modules, as their `admin` is."""

    name = "foyer"

    def ready(self) -> None:
        from foyer.server import beside
        from foyer.store.fullness import watch_fullness

        autodiscover_modules("commands", "frames", "schema")
        beside.tasks.append(watch_fullness)
