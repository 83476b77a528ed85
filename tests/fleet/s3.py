"""An S3 server on loopback that refuses what it is told to, and loses answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class S3:
    """A real S3 server that refuses requests for whose method and path `refuses` is true.

    The first request for which `loses` is true is served, and answered as one that failed.
    """

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self.refuses: Callable[[str, str], bool] = lambda _method, _path: False
        self.loses: Callable[[str, str], bool] = lambda _method, _path: False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.refuses(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"refused"]
        if self.loses(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            self.loses = lambda _method, _path: False
            list(self._app(environ, lambda *_: None))
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []
        return self._app(environ, start_response)


@contextmanager
def serving() -> Iterator[tuple[S3, dict[str, str]]]:
    """Yield the server, with a bucket `fleet`, and the options that reach it."""
    s3 = S3()
    server = make_server("127.0.0.1", 0, s3, threaded=True, request_handler=MotoRequestHandler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    endpoint, key, region = f"http://127.0.0.1:{server.port}", "made-up", "us-east-1"
    boto3.client(
        "s3", endpoint_url=endpoint, region_name=region,
        aws_access_key_id=key, aws_secret_access_key=key,
    ).create_bucket(Bucket="fleet")  # fmt: skip
    yield (
        s3,
        {
            "aws_endpoint": endpoint,
            "aws_access_key_id": key,
            "aws_secret_access_key": key,
            "aws_region": region,
            "allow_http": "true",
        },
    )
    server.shutdown()
    thread.join()
    server.server_close()
