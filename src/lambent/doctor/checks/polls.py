"""Queues and streams that Lambda polls. Pure.

Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", "Configuring partial batch response".
"""

from __future__ import annotations

from lambent.doctor.model import Complaint, Complaints, Facts, FunctionFacts

TIMES = 6
"""How much longer than the function's timeout AWS wants a queue's visibility timeout."""
AT_ONCE = 10
"""Messages of a batch, without a window."""


def visibility(function: FunctionFacts, _facts: Facts) -> Complaints:
    """AWS refuses the mapping."""
    for poll in function.polls:
        if poll.kind == "sqs" and poll.visibility is not None and poll.visibility < function.timeout:
            message = (
                f"expected a VisibilityTimeout of {TIMES} times the function's {function.timeout:g} s on {poll.name}, "
                f"but got {poll.visibility}, which is below the function's own: AWS refuses that."
            )
            yield Complaint(message, poll.place)


def visibility_short(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Messages come again while they are still being handled, or wait to be."""
    for poll in function.polls:
        if poll.kind == "sqs" and poll.visibility is not None:
            wanted = TIMES * function.timeout + poll.window
            if function.timeout <= poll.visibility < wanted:
                window = f" and the window of {poll.window}" if poll.window else ""
                message = (
                    f"expected a VisibilityTimeout of {wanted:g} seconds or more on {poll.name}, {TIMES} times "
                    f"the function's {function.timeout:g}{window}, but got {poll.visibility}: messages may come twice."
                )
                yield Complaint(message, poll.place)


def window(function: FunctionFacts, _facts: Facts) -> Complaints:
    for poll in function.polls:
        if poll.kind == "sqs" and (poll.batch_size or 0) > AT_ONCE and poll.window < 1:
            message = (
                f"expected a MaximumBatchingWindowInSeconds of 1 or more with batches of {poll.batch_size}: without "
                f"one {AT_ONCE} messages are the most."
            )
            yield Complaint(message, poll.place)


def partial(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Without it AWS ignores what is reported, and takes every message as done."""
    measured = function.measured
    for poll in function.polls:
        if measured and poll.kind in measured.batches and not poll.partial:
            message = (
                f"the function reports which records failed, but {poll.name} does not ask for that: they would count "
                "as done, and be lost. Set FunctionResponseTypes: [ReportBatchItemFailures]."
            )
            yield Complaint(message, poll.place)
