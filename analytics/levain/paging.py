"""Lists that iterate over all of their pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from analytics.levain import bounds
from analytics.levain.answers import Answer, Params, Records
from analytics.levain.errors import AnswerBrokenError, AnswerTooLargeError, LevainError
from analytics.levain.records import typed
from analytics.levain.transport import Transport

T = TypeVar("T")

_cursor_of = msgspec.json.Decoder(str | int | None).decode


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One response of a list: `records` undecoded, and typed when iterated over."""

    answer: Answer
    records: Records
    kind: type[T]

    def __iter__(self) -> Iterator[T]:
        return (typed(record, self.kind) for record in self.records)

    def readable(self, on_error: Callable[[AnswerBrokenError], None]) -> Iterator[T]:
        """Yield each record that can be typed; call `on_error` with the error of each other one."""
        for record in self.records:
            try:
                one = typed(record, self.kind)
            except AnswerBrokenError as error:
                on_error(error)
            else:
                yield one

    def __len__(self) -> int:
        return len(self.records)


def api_path(*parts: str | int) -> str:
    """Return the path of names and ids, quoted; a slash within an id is no separator."""
    return "/api/v1/" + "/".join(quote(str(part), safe="") for part in parts)


class Resource:
    """A part of the API, read by one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _page(self, path: str, kind: type[T], **params: str | int) -> Page[T]:
        """Read a list that comes in one response; join all pages into the first if there are more.

        AnswerTooLargeError if they have more in them than one response may have.
        """
        found: list[Page[T]] = []
        byte_count = record_count = 0
        async for page in self._pages(path, kind, **params):
            found.append(page)
            byte_count += page.answer.byte_count
            record_count += len(page)
            if byte_count > bounds.LARGEST_ANSWER or record_count > bounds.MOST_RECORDS:
                cause = "its pages have more in them than is read of one answer"
                raise AnswerTooLargeError(f"GET {path}", cause)
        return Page(found[0].answer, [record for page in found for record in page.records], kind)

    async def _pages(self, path: str, kind: type[T], **asked: str | int) -> AsyncIterator[Page[T]]:
        """Yield each page of a list; the API sends one today, a cursor or link is followed.

        LevainError for a list without an end.
        """
        params: Params = asked
        read: set[int] = set()  # hashes: a cursor may be long
        record_count = 0
        while True:
            answer, records = await self._transport.get(path, params, lambda answer: answer.records)
            yield Page(answer, records, kind)
            following = _next_params(answer)
            if following is None:
                return
            read.add(hash(urlencode(params)))
            record_count += len(records)
            params = {**params, **following}
            if hash(urlencode(params)) in read:
                cause = "a page leads back to one that was read"
            elif len(read) >= bounds.MOST_PAGES or record_count > bounds.MOST_LISTED:
                cause = (
                    f"it has more than {bounds.MOST_PAGES:,} pages"
                    f" or {bounds.MOST_LISTED:,} records"
                )
            else:
                continue
            raise LevainError(f"GET {path}", f"the list does not end: {cause}")


def _next_params(answer: Answer) -> dict[str, str] | None:
    """Return the parameters of the next page.

    Of a link, only its query: no other host gets the key.
    """
    if answer.next_link:
        try:
            return dict(parse_qsl(urlsplit(answer.next_link).query))
        except ValueError as error:
            cause = f"the link to its next page is not an address ({error})"
            raise AnswerBrokenError(answer.path, cause) from error
    try:
        cursor = _cursor_of(answer.fields.get("next_cursor", b"null"))
    except msgspec.MsgspecError as error:
        raise AnswerBrokenError(answer.path, "`next_cursor` is no text or integer") from error
    return None if cursor in (None, "") else {"cursor": str(cursor)}
