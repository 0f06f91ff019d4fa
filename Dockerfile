# Which base, such as python:3.12-slim@sha256:...; docs/security.md says how to pin it.
ARG PYTHON_IMAGE=python:3.12-slim

# The image installs as 'make' does on any fresh machine, and keeps only what runs.
FROM ${PYTHON_IMAGE} AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml requirements.lock Makefile README.md LICENSE ./
COPY cardwatch ./cardwatch
RUN make .venv/run.stamp
COPY api ./api
COPY sample_data ./sample_data
COPY models ./models
# Whoever checked the project out may keep it from others; the image's user has to read it.
RUN chmod -R a+rX .

FROM ${PYTHON_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      fonts-liberation libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 cardwatch \
 && install --directory --owner cardwatch --mode 0700 /data /statements
WORKDIR /app
COPY --from=build /app /app
USER 10001
ENV CARDWATCH_HOME=/data PATH=/app/.venv/bin:$PATH MALLOC_ARENA_MAX=2
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["uvicorn", "api.main:app", "--host", "0.0.0.0", "--no-access-log", "--no-server-header", \
     "--timeout-keep-alive", "10", "--timeout-graceful-shutdown", "8", \
     "--limit-concurrency", "200"]
