"""Sessions: conversations of one or several runs."""

from __future__ import annotations

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path
from analytics.levain.records import Session, SessionEvent
from analytics.levain.transport import Transport


class Sessions:
    """`/sessions`; the API does not list them: a run names its session (`session_id`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, session_id: str, *, since: int = 0) -> Session:
        """Read a session with its events after `since` (a `seq`)."""
        return await self._transport.read(
            api_path("sessions", session_id), Session, {"since": since}
        )

    async def events(self, session_id: str, *, since: int = 0) -> Page[SessionEvent]:
        """Read the events of a session after `since` (a `seq`)."""
        path = api_path("sessions", session_id, "events")
        return await one_page(self._transport, path, SessionEvent, {"since": since})

    async def send_message(self, session_id: str, text: str) -> Session:
        """Send a message to a session, which starts another run of it.

        The session returned holds the new message as its only event. RefusedError if the session is
        terminated.
        """
        return await self._transport.change(
            "POST", api_path("sessions", session_id, "messages"), Session, {"prompt": text}
        )

    async def cancel(self, session_id: str) -> Session:
        r"""Interrupt the current run of a session, and terminate the session.

        The step in flight is still finished and paid for; then the run is `cancelled`. The session
        stays readable and takes no more messages. From a shell::

            curl -X POST https://api.levainlabs.com/api/v1/sessions/$SESSION_ID/cancel \
              -H "Authorization: Bearer $LEVAIN_API_KEY"

        >>> run = levain.runs.trigger("support-triage", prompt="I get a 403.")
        >>> levain.sessions.cancel(run.session_id).state
        'terminated'
        """
        return await self._transport.change(
            "POST", api_path("sessions", session_id, "cancel"), Session, is_repeatable=True
        )
