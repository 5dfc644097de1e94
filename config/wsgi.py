"""The WSGI application: REST and the admin. `asgi.py` runs it on a pool of threads; any WSGI server can too."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
