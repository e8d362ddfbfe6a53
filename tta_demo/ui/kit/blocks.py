"""The page as gradio keeps it, but for what it does with the many parts of an action."""

from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlockFunction
from gradio.state_holder import SessionState

from tta_demo.ui.kit.failing import failing
from tta_demo.ui.kit.measured import ODD

__all__ = ["Page"]


class Page(gr.Blocks):
    """Gradio's page, where an action changes few of the many parts that it may change."""

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        """Returns what an action is given of what was sent; as gradio calls it."""
        with failing(block_fn.name):
            try:
                return await super().preprocess_data(block_fn, inputs, state, explicit_call)
            except ValueError as error:  # an address for a picture, say; gradio quotes it
                raise ValueError(ODD.format("a file")) from error

    async def postprocess_data(
        self,
        block_fn: BlockFunction,
        predictions: Any,  # noqa: ANN401 (gradio's own)
        state: SessionState | None,
    ) -> list[Any]:
        """Returns what is sent of each output, from new values by part; as gradio calls it.

        Parts that are not named stay. For each of them gradio would build a new one and describe
        it, twice: half a millisecond of the one loop that serves everybody, times sixty, at every
        step. Of no part at all it would make a value.
        """
        by_part = isinstance(predictions, dict) and all(isinstance(k, Block) for k in predictions)
        if by_part and not predictions:
            return [gr.skip() for _ in block_fn.outputs]
        fewer = copy(block_fn)
        if by_part:
            fewer.outputs = [*predictions]
        with failing(block_fn.name, ours=False):
            values = await super().postprocess_data(fewer, predictions, state)
        if not by_part:
            return values
        sent = dict(zip(fewer.outputs, values, strict=True))
        return [sent.get(part, gr.skip()) for part in block_fn.outputs]

    def handle_streaming_diffs(
        self,
        block_fn: BlockFunction,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """Returns what is sent of a step, each output whole; as gradio calls it.

        The browser would carry out gradio's edits on the values of the step before, in place, even
        if they are not shown yet: of two steps in quick succession the first one's were lost.
        """
        first = session_hash is None or run not in self.pending_diff_streams[session_hash]
        data = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, True)
        if first or final or simple_format:
            return data
        return [[["replace", [], one]] for one in data]
