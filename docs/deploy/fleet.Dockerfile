FROM python:3.13-slim
COPY pyproject.toml README.md LICENSE /src/
COPY analytics /src/analytics
COPY queries /src/queries
COPY reports /src/reports
RUN apt-get update && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "/src[fleet]" "ray[default]==2.60.0" \
    && useradd --uid 10001 --create-home analytics
USER 10001
ENTRYPOINT ["analytics"]
CMD ["fleet", "status"]
