"""What daphne serves: HTTP to Django, WebSockets to the consumer."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.stock.settings")
http = get_asgi_application()

from bench.stock.consumers import ChatConsumer  # noqa: E402  (Django has to be set up first)

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": URLRouter([path("room/<str:room>/subscribe", ChatConsumer.as_asgi())]),
    }
)
