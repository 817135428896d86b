# One image for web, workers, schedulers and the command line:
#
#   docker build --tag worker-service .
#
# BASE_IMAGE may be any Debian that has Python 3.11 or newer, or has it to install. Where packages come from an index
# of your own, hand its pip.conf in; it stays out of the image: --secret id=pip,src=$HOME/.config/pip/pip.conf
#
# An image with actors of your own:
#
#   FROM worker-service
#   COPY my my
#   ENV JOBS_ACTOR_MODULES=my.tasks

ARG BASE_IMAGE=debian:12.11-slim

FROM ${BASE_IMAGE} AS base
# python3 is left out where the base brings its own, in /usr/local. Its bytecode is written below, where it is used.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates tini $(command -v python3 >/dev/null || echo python3) \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /usr/share/man/* \
    && find /usr/share/doc -type f -not -name copyright -delete \
    && rm -rf /usr/lib/python3*/pydoc_data /usr/lib/python3*/lib2to3 \
    && find /usr/lib -name __pycache__ -prune -exec rm -r {} +

FROM base AS build
RUN python3 -c "import ensurepip" 2>/dev/null \
    || { apt-get update && apt-get install --yes --no-install-recommends python3-venv; }
RUN python3 -m venv /build
WORKDIR /source
COPY requirements.lock .
# The whole lock, every file checked against its hash. This is the only step that asks an index.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /build/bin/pip download --require-hashes --only-binary :all: --requirement requirements.lock --dest /wheels
COPY . .
RUN /build/bin/pip install --no-index --find-links /wheels hatchling \
    && /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels .
# Of these files only what the service asks for: no embedded server, nothing that builds. Traces are 10 MB more:
# --build-arg EXTRAS=images,sentry,opentelemetry. Pillow goes without AVIF, which no actor makes, and what colours
# source text knows Python only.
ARG EXTRAS=images,sentry
RUN python3 -m venv --without-pip /opt/worker-service \
    && /build/bin/pip --python /opt/worker-service/bin/python install --no-index --find-links /wheels \
        --no-compile "worker-service[$EXTRAS]" \
    && rm -f /opt/worker-service/lib/python3*/site-packages/pillow.libs/libavif-* \
    && find /opt/worker-service/lib/python3*/site-packages/pygments/lexers -type f \
        -not -name __init__.py -not -name _mapping.py -not -name python.py -delete

FROM base
LABEL org.opencontainers.image.title="worker-service" \
      org.opencontainers.image.description="Background jobs: POST a job over HTTP, workers run it." \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin jobs \
    && install --directory --owner jobs --group jobs /data /keys
COPY --from=build /opt/worker-service /opt/worker-service
# Bytecode of what the processes import, because none can write it later; that of all the rest would be 14 MB more.
RUN /opt/worker-service/bin/python -c "import dramatiq.cli, granian.server, httpx2, scheduler.service, \
    worker_service.actors, worker_service.cli, worker_service.web" \
    && for extra in PIL.Image sentry_sdk; do /opt/worker-service/bin/python -c "import $extra" 2>/dev/null || true; done
# 0.0.0.0 needs a key (JOBS_ADMIN_KEY_FILE): without one web says so and ends.
ENV PATH=/opt/worker-service/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    JOBS_HTTP_HOST=0.0.0.0 \
    JOBS_DATA_DIR=/data
# Actors of your own are imported from here.
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["worker-service", "check", "self"]
ENTRYPOINT ["tini", "--"]
CMD ["worker-service", "web"]
