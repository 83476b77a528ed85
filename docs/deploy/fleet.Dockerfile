FROM python:3.13-slim
RUN apt-get update && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "levain-analytics[fleet]==0.1.0" "ray[default]==2.60.0" \
    && useradd --uid 10001 --create-home analytics
USER 10001
ENTRYPOINT ["analytics"]
CMD ["fleet", "status"]
