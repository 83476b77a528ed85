"""The process that sends messages to one address: a line for each says why it was not taken."""

from __future__ import annotations

import json
import os
import sys

from apprise import Apprise, AppriseAsset, NotifyFormat


def main() -> None:
    """Send what standard input has."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    request = json.load(sys.stdin)
    asset = AppriseAsset(app_id="analytics", app_desc="analytics", app_url="", async_mode=False)
    apprise = Apprise(asset=asset)
    is_known = apprise.add(request["url"])
    for message in request["messages"]:
        is_taken = is_known and apprise.notify(
            message["body"],
            title=message["title"],
            notify_type=message["severity"],
            body_format=NotifyFormat.TEXT,
        )
        reason = "it did not take the message" if is_known else "Apprise knows no such address"
        print(json.dumps("" if is_taken else reason), file=answers, flush=True)


if __name__ == "__main__":
    main()
