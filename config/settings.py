"""Settings, read from the environment and, for what it leaves open, from `.env`. `.env.example` explains them.

Development is the default: it listens on loopback, keeps its data under `var/` and makes `admin`/`admin`.
`DEBUG=0` means production; `foyer/server/checks.py` refuses to start one that was left at development values.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from foyer import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
if (env_file := BASE_DIR / os.environ.get("ENV_FILE", ".env")).is_file():
    env.read_env(env_file)

DEBUG: bool = env.bool("DEBUG", default=True)
DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "var").resolve()
HOST: str = env.str("HOST", default="127.0.0.1")
PORT: int = env.whole("PORT", default=9000, least=0, most=65535)
WORKERS: int = env.whole("WORKERS", default=1, least=1, most=256)
REDIS_URL: str = env.redis("REDIS_URL")
REDIS_FSYNC: str = env.choice("REDIS_FSYNC", default="always", choices=("always", "everysec", "no"))
REDIS_MAXMEMORY: int | None = env.size("REDIS_MAXMEMORY")
REDIS_WAIT: int = env.int("REDIS_WAIT", default=0)
REDIS_TIMEOUT: float = env.float("REDIS_TIMEOUT", default=5.0)
ALLOW_DEFAULT_ADMIN: bool = env.bool("ALLOW_DEFAULT_ADMIN", default=False)


def development_secret() -> str:
    """A random key that stays with this data directory, so that tokens outlive a restart. Never used in production."""
    path = DATA_DIR / "secret-key"
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_name(f"secret-key.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(fresh)  # the first of two processes that start at once wins
            fresh.unlink()
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR is {str(DATA_DIR)!r}, expected a folder to write to: {error}.") from None


SECRET_KEY: str = env.str("SECRET_KEY", default="") or (development_secret() if DEBUG else "")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ALLOWED_ORIGINS: list[str] = env.list("ALLOWED_ORIGINS", default=[])

INSTALLED_APPS = [
    "daphne",
    "foyer",
    "foyer.admin.apps.FoyerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "corsheaders",
    "accounts",
    "rooms",
    "messaging",
    "lobby",
    "moderation.notices",
    "archive",
    "moderation",
    "web",
    "clients.terminal",
]
MIDDLEWARE = [
    "foyer.logs.RequestNotes",
    "foyer.api.handlers.ErrorAnswers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.cookies.CookieSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if ALLOWED_ORIGINS:  # pages of other sites, with a token; never with a cookie
    MIDDLEWARE.insert(1, "corsheaders.middleware.CorsMiddleware")
CORS_ALLOW_ALL_ORIGINS = "*" in ALLOWED_ORIGINS
CORS_ALLOWED_ORIGINS = [origin for origin in ALLOWED_ORIGINS if origin != "*"]
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "idempotency-key", "last-event-id", "on-behalf-of", "x-request-id"),
]
CORS_EXPOSE_HEADERS = ["Link", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def sqlite(name: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / name)}


DATABASES = {"default": env.database("DATABASE_URL", default=sqlite("foyer.sqlite3"))}
ARCHIVE = env.database("ARCHIVE_URL", default={})
if ARCHIVE or DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # PostgreSQL takes the archive beside the accounts
    DATABASES["archive"] = ARCHIVE or sqlite("archive.sqlite3")
DATABASE_ROUTERS = ["archive.router.ArchiveRouter"]
for database in DATABASES.values():
    database["CONN_MAX_AGE"] = None
    database["CONN_HEALTH_CHECKS"] = True
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }


def in_store(prefix: str, **options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "foyer.store.cache.StoreCache",
        "LOCATION": "the store",
        "KEY_PREFIX": prefix,
        "OPTIONS": {"CLIENT_CLASS": "foyer.store.cache.StoreClient", **options},
    }


CACHES = {"default": in_store("cache"), "sessions": in_store("sessions", IGNORE_EXCEPTIONS=True)}
SESSION_ENGINE, SESSION_CACHE_ALIAS = "django.contrib.sessions.backends.cached_db", "sessions"
CHANNEL_LAYERS = {"default": {"BACKEND": "foyer.store.channel_layer.ChannelLayer", "CONFIG": {"prefix": "foyer"}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["accounts.authentication.AccountBackend"]
PASSWORD_HASHERS = ["accounts.passwords.OwaspArgon2Hasher"]
PASSWORD_MIN_LENGTH: int = env.int("PASSWORD_MIN_LENGTH", default=1 if DEBUG else 8)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
]
if not DEBUG:
    AUTH_PASSWORD_VALIDATORS.append({"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"})
SESSION_LIFETIME = timedelta(hours=24)
STAY_SIGNED_IN = timedelta(days=30)
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())  # of one that ends with the browser
SIGN_IN_FAILURES: int = env.int("SIGN_IN_FAILURES", default=20)
SIGN_IN_FAILURES_WIDE: int = env.int("SIGN_IN_FAILURES_WIDE", default=100)
SIGN_IN_QUEUE: int = env.int("SIGN_IN_QUEUE", default=200)

OPEN_SIGN_UP: bool = env.bool("OPEN_SIGN_UP", default=True)
SIGN_UPS_PER_HOUR: int = env.whole("SIGN_UPS_PER_HOUR", default=100, least=0, most=100_000)
POSTS_PER_MINUTE: int = env.whole("POSTS_PER_MINUTE", default=600, least=0, most=1_000_000)
ROOMS_PER_USER: int = env.whole("ROOMS_PER_USER", default=1000, least=0, most=1_000_000)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.RememberedBasicAuthentication",
        "accounts.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["foyer.api.renderers.JSONRenderer", "foyer.api.browsable.PageRenderer"],
    "DEFAULT_PARSER_CLASSES": ["foyer.api.parsers.JSONParser", "foyer.api.parsers.FormParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "foyer.api.negotiation.Negotiation",
    "DEFAULT_METADATA_CLASS": "foyer.api.metadata.Metadata",
    "DEFAULT_SCHEMA_CLASS": "foyer.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "foyer.api.exceptions.answer_error",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": None,  # the renderer writes times
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Foyer",
    "DESCRIPTION": "Accounts, rooms, messages and lobby tables. What sockets say is described at `/schema/events`. "
    "POST takes `application/x-www-form-urlencoded` too, where its body has plain values.",
    "VERSION": VERSION,
    "TAGS": [{"name": name} for name in ("Accounts", "Rooms", "Messages", "Lobby tables", "Notices", "Operators")],
    "CAMELIZE_NAMES": True,  # of parameters in addresses: {roomId}
    "PATH_CONVERTER_OVERRIDES": {"str": {"type": "string", "pattern": "^[^/]+$"}},
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [
        "foyer.api.schema_hooks.add_operators_routes",
        "foyer.api.schema_hooks.share_errors",
        "foyer.api.schema_hooks.polish",
    ],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}
CSRF_FAILURE_VIEW = "foyer.api.handlers.csrf_failure"
LOGIN_URL, LOGIN_REDIRECT_URL = "/sign-in", "/"

HTTP_THREADS: int = env.whole("HTTP_THREADS", default=8, least=1, most=256)
MAX_BODY = DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
MAX_HEAD, MAX_HEAD_LINES = 64 * 1024, 200
HEAD_TIMEOUT: int = env.whole("HEAD_TIMEOUT", default=10, least=1, most=3600)
BODY_TIMEOUT: int = env.whole("BODY_TIMEOUT", default=20, least=1, most=3600)
READ_TIMEOUT: int = env.whole("READ_TIMEOUT", default=30, least=1, most=3600)
CONNECTIONS_PER_ADDRESS: int = env.whole("CONNECTIONS_PER_ADDRESS", default=1000, least=1, most=1_000_000)
UNREAD_PER_ADDRESS: int = env.whole("UNREAD_PER_ADDRESS", default=32, least=1, most=100_000) * 1024 * 1024
RETRY_KEY_LIFETIME = timedelta(hours=24)
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])

RETENTION_DAYS: int = env.whole("RETENTION_DAYS", default=0, least=0, most=36_500)
FOLLOW: bool = env.bool("FOLLOW", default=True)
HOT_EVENTS: int = env.whole("HOT_EVENTS", default=1000, least=0, most=1_000_000)

FRAMES_PER_SECOND: int = env.whole("FRAMES_PER_SECOND", default=2000, least=1, most=1_000_000)
CONNECTIONS_PER_USER: int = env.whole("CONNECTIONS_PER_USER", default=200, least=1, most=1_000_000)
SUBSCRIPTIONS_PER_CONNECTION: int = env.whole("SUBSCRIPTIONS_PER_CONNECTION", default=1000, least=1, most=1_000_000)
MEMBERSHIPS_PER_USER: int = env.whole("MEMBERSHIPS_PER_USER", default=5000, least=1, most=1_000_000)

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ROOT = BASE_DIR / "foyer" / "root"  # what browsers ask for at fixed addresses
WHITENOISE_AUTOREFRESH = DEBUG

if not DEBUG:
    SECURE_CONTENT_TYPE_NOSNIFF = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=True)

METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
LOG_FORMAT: str = env.choice("LOG_FORMAT", default="line" if DEBUG else "json", choices=("line", "json"))
LOG_LEVEL: str = env.choice("LOG_LEVEL", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "foyer.logs.LineFormatter"}, "json": {"()": "foyer.logs.JsonFormatter"}},
    "filters": {"discreet": {"()": "foyer.logs.Discreet"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["discreet"]}},
    # At DEBUG libraries log what is secret: the values in SQL, headers, replies of the store.
    "root": {"handlers": ["console"], "level": "INFO" if LOG_LEVEL == "DEBUG" else LOG_LEVEL},
    "loggers": {
        **{
            app: {"level": LOG_LEVEL}
            for app in ("config", *INSTALLED_APPS)
            if (BASE_DIR / app.replace(".", "/")).is_dir()
        },
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # the access log has a client's mistakes
    },
}
