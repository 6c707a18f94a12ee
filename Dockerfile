# The page for people on other machines. They need a password: write lines of user:password into a file and mount it.
#
#   docker build -t pixturn .
#   docker run -p 7860:7860 -v "$PWD/login.txt:/run/secrets/login:ro" \
#     --read-only --tmpfs /tmp:size=3g --cap-drop ALL --security-opt no-new-privileges --memory 12g pixturn
#
# Put a proxy with TLS before it, and tell its name: `pixturn --login /run/secrets/login --names pictures.example.org`.
FROM python:3.11.14-slim-bookworm

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp/cache

WORKDIR /srv
COPY pyproject.toml constraints.txt README.md LICENSE app.py ./
COPY translate ./translate
COPY pipelines ./pipelines
COPY checkpoints ./checkpoints

RUN python -m venv /opt/page \
    && /opt/page/bin/pip install --no-cache-dir -c constraints.txt ".[cpu,app]"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin page

USER 10001
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/page/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/favicon.ico', timeout=4)"]

# Inside a container 0.0.0.0 is the container's own network; the page refuses to start there without --login.
# What is kept between passes lies in /tmp, too, which is memory here.
ENTRYPOINT ["/opt/page/bin/pixturn", "app", "--host", "0.0.0.0", "--scratch-mb", "1000"]
CMD ["--login", "/run/secrets/login"]
