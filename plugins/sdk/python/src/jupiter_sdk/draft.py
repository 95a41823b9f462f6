"""A text within what a sampling allows."""

from __future__ import annotations

from ._pb.plugin_pb2 import Completion, Prompt, Record, Sampling


class Draft:
    """A text while a generator writes it, token by token.

    It has at most the sampling's `max_tokens` tokens, and nothing from the first stop sequence on:

        draft = sdk.Draft(sampling)
        for token in tokens:
            if not draft.add(token):
                break
        yield draft.completion()

    Without a sampling nothing is bounded, nor with one whose `max_tokens` is 0: a stage that has a bound of its own in its
    configuration ends by itself then.
    """

    def __init__(self, sampling: Sampling | None = None) -> None:
        self.text = ""  # what was written
        self.tokens = 0  # that were added, those of a stop sequence too
        self._most = sampling.max_tokens if sampling is not None else 0
        self._stop = [s for s in sampling.stop if s] if sampling is not None else []  # every text has the empty one
        self._shown = 0
        self._over = False
        self._cut = False

    def add(self, token: str) -> bool:
        """Appends what one token stands for, and says whether the text goes on.

        It does not once a stop sequence has come, or where there were as many tokens as may be: then nothing is appended.
        """
        if not self._over and 0 < self._most == self.tokens:
            self._over = self._cut = True
        if self._over:
            return False
        before = len(self.text)
        self.text += token
        self.tokens += 1
        # What came before has been looked at.
        found = [self.text.find(s, max(0, before - len(s) + 1)) for s in self._stop]
        ends = [i for i in found if i >= 0]
        if ends:
            self.text, self._over = self.text[: min(ends)], True
        return not self._over

    def piece(self) -> str:
        """What has come since the last piece and is certain to be part of the text.

        Nothing of it may yet turn out to be the beginning of a stop sequence. All pieces, one after another, are the
        beginning of the text.
        """
        end = len(self.text)
        for s in [] if self._over else self._stop:
            held = next((n for n in range(min(len(s) - 1, len(self.text)), 0, -1) if self.text.endswith(s[:n])), 0)
            end = min(end, len(self.text) - held)
        piece, self._shown = self.text[self._shown : end], end
        return piece

    @property
    def finish_reason(self) -> str:
        """`length` where another token was there and could not be added.

        `stop` where the text ended by itself, or by a stop sequence.
        """
        return "length" if self._cut else "stop"

    def completion(self) -> Completion:
        """The text as the answer to a prompt."""
        return Completion(text=self.text, finish_reason=self.finish_reason, completion_tokens=self.tokens)

    def record(self, prompt: Prompt | None = None) -> Record:
        """The text as a sample, of a prompt or a whole one. One that was cut says so, and is never trained on."""
        p = prompt if prompt is not None else Prompt()
        meta = {"finish": "length"} if self._cut else {}
        return Record(prompt=p.text, bucket=p.bucket, text=self.text, completion_tokens=self.tokens, meta=meta)
