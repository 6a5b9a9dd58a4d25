FROM python:3.13-slim AS packages
COPY requirements/base.txt /tmp/base.txt
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/base.txt

FROM python:3.13-slim
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/srv/static MEDIA_ROOT=/srv/media
RUN useradd --system --uid 10001 --home-dir /srv kmnet && install -d -o kmnet -g kmnet /srv/media /srv/static
COPY --from=packages /srv/venv /srv/venv
COPY . /srv/kmnet
WORKDIR /srv/kmnet
USER kmnet
# KMNET_DEMO for this one command: the settings refuse to be read without a production site's secrets.
RUN KMNET_DEMO=1 python manage.py collectstatic --noinput -v0
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "8", "--no-ws", "--workers-kill-timeout", "30s", "kmnet.wsgi:application"]
