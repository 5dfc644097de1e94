# One instance of Foyer, for production. It needs SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL and REDIS_URL;
# docker-compose.yml sets them.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 DEBUG=0 HOST=0.0.0.0 PORT=9000 DATA_DIR=/var/lib/foyer

RUN useradd --system --uid 10001 --home-dir /var/lib/foyer --create-home foyer
WORKDIR /srv/foyer
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: -r requirements.txt
COPY . .
RUN python -m compileall -q .

USER foyer
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9000/health/ready', timeout=4)"]
CMD ["python", "manage.py", "serve"]
