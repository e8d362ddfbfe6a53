"""Who is next: a lane for each kind of action, and only so many places in it for one visitor."""

import time
from collections import Counter
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.queueing import Event, Queue

from tta_demo.ui.kit.events import LANES, THREADS, Lane
from tta_demo.ui.kit.failing import LOG, facts_of

__all__ = ["Lanes", "asked_at", "is_gone", "with_lanes"]

FULL = "Too many are waiting at the moment: try again in a minute."
UNREAD = 2000
"""Messages that wait for everybody to read them; of pages that do read, a few wait at a time."""


class Lanes(Queue):
    """Gradio's queue, whose one limit for all actions together would let one kind lock the others.

    Here every lane (gradio's `concurrency_id`) has a limit of its own, and every visitor only a
    few places in it: whoever posts more is refused, and the others go on.
    """

    async def push(self, body: Any, request: Any, username: str | None) -> tuple[bool, Any, Any]:  # noqa: ANN401 (gradio's own)
        """Takes an action in, or says that its lane is full; as gradio calls it."""
        function = self.blocks.fns.get(body.fn_index)
        name = None if function is None else function.concurrency_id
        if name in LANES and self._full(name, LANES[name], body.session_hash):
            return False, FULL, "queue_full"
        return await super().push(body, request, username)

    def _full(self, name: str, lane: Lane, session: str | None) -> bool:
        waiting = self._waiting(name)
        mine = [one for one in (*waiting, *self._running(name)) if one.session_hash == session]
        return len(waiting) >= lane.waiting or len(mine) >= lane.each

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Returns the next action to start: of the first in its lane whose visitor has room."""
        for name, queue in self.event_queue_per_concurrency_id.items():
            if not queue.queue or queue.current_concurrency >= (queue.concurrency_limit or 1000):
                continue
            running = Counter(one.session_hash for one in self._running(name))
            most = LANES[name].at_once if name in LANES else 1
            for event in queue.queue:
                if running[event.session_hash] < most:
                    queue.queue.remove(event)
                    return [event], False, name
        return None

    async def start_processing(self) -> None:
        """Starts actions as long as the page is served: no failure in between ends that."""
        while True:
            try:
                return await super().start_processing()
            except Exception as error:
                LOG.error("failure", extra={"facts": facts_of(error)})
                self.stopped = False

    def send_message(self, event: Event, event_message: Any) -> None:  # noqa: ANN401 (gradio's own)
        """Tells a visitor something, if there is somebody to tell.

        Who leaves while an action of theirs starts would end the queue for everybody; who asks on
        and on but reads nothing would fill the memory: the most unread messages go, if need be.
        """
        unread = self.pending_messages_per_session
        if event.session_hash in unread:
            super().send_message(event, event_message)
            waiting = {name: messages.qsize() for name, messages in unread.items()}
            if sum(waiting.values()) > UNREAD:
                del unread[max(waiting, key=waiting.__getitem__)]

    def compute_analytics_summary(self, records: object) -> dict[str, Any]:
        """Returns nothing: gradio would weigh all actions so far, up to 10,000, after each."""
        return {}

    def _waiting(self, name: str) -> list[Event]:
        queue = self.event_queue_per_concurrency_id.get(name)
        return [] if queue is None else queue.queue

    def _running(self, name: str) -> list[Event]:
        jobs = (job for job in self.active_jobs if job is not None)
        return [one for job in jobs for one in job if one.concurrency_id == name]


def is_gone() -> bool:
    """Returns whether whoever asked for what runs now has left: the page was closed meanwhile."""
    event = _event()
    return event is not None and not event.alive


def asked_at() -> float:
    """Returns when somebody asked for what runs now, by `time.monotonic`; now, if nobody did."""
    event = _event()
    return time.monotonic() if event is None else event.enqueue_time


def _event() -> Event | None:
    """Returns what the queue knows of what runs now; None past the queue."""
    blocks, number = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    return None if blocks is None else blocks._queue.event_ids_to_events.get(number)


def with_lanes(page: gr.Blocks) -> gr.Blocks:
    """Returns the page with this queue; nothing can be asked of it past the queue."""
    page.max_threads = THREADS  # `launch` sets it anew; servers other than gradio's own do not
    page.queue(api_open=False)
    page._queue = Lanes(
        live_updates=True,
        concurrency_count=page.max_threads,
        update_intervals=1,
        max_size=None,
        blocks=page,
    )
    page._queue.sleep_when_free = 0.01  # gradio's 1 ms keeps a core busy for 7 % of the time
    return page
