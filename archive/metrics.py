"""The numbers of the archive for `/metrics`. Only what serves may import this, as `foyer/server/metrics.py`."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from archive.progress import look


class ArchiveCollector(Collector):
    """The numbers of the archive, which are the same on every instance of a store."""

    def collect(self) -> Iterator[Metric]:
        found = look.found
        yield GaugeMetricFamily("foyer_archive_behind_events", "Events not archived yet.", found.events)
        yield GaugeMetricFamily("foyer_archive_behind_seconds", "How long the first of them has waited.", look.seconds)
        yield CounterMetricFamily("foyer_archive_events", "Events archived since the archive began.", found.archived)
        yield CounterMetricFamily("foyer_archive_trimmed", "Events that left the store since.", found.trimmed)


collector = ArchiveCollector()
