# The image installs as 'make' does on any fresh machine, and keeps only what runs.
FROM python:3.12-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml requirements.lock Makefile README.md LICENSE ./
COPY cardwatch ./cardwatch
RUN make .venv/run.stamp

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 cardwatch
WORKDIR /app
COPY --from=build /app /app
COPY sample_data ./sample_data
COPY models ./models
USER 10001
ENV CARDWATCH_HOME=/home/cardwatch/.cardwatch
ENTRYPOINT ["/app/.venv/bin/cardwatch"]
CMD ["--help"]
