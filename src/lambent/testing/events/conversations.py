"""People and devices: Lex, Connect, IoT rules.

Source: docs.aws.amazon.com/lexv2, "AWS Lambda input event format for Lex V2"; docs.aws.amazon.com/connect, "Invoke AWS
Lambda functions"; docs.aws.amazon.com/iot, "Lambda" (of rule actions): a rule passes on what its SELECT makes.
"""

from __future__ import annotations

from collections.abc import Mapping

from lambent.testing.events.origin import HERE, UPPER, Event, Origin

NONE: Mapping[str, str] = {}
READING: Mapping[str, object] = {"device": "lamp-1", "temperature": 21.5}
HOOKS = ("DialogCodeHook", "FulfillmentCodeHook")


def lex(
    transcript: str = "Book a car",
    *,
    bot: str = "BookTrip",
    intent: str = "BookCar",
    slots: Mapping[str, str] = NONE,
    hook: str = "DialogCodeHook",
    origin: Origin = HERE,
) -> Event:
    """One turn of a conversation with a bot of Lex V2, in which `slots` are filled."""
    if hook not in HOOKS:
        raise ValueError(f"hook: expected {' or '.join(HOOKS)}, but got {hook!r}.")
    facts = origin.facts()
    filled = {name: slot(value) for name, value in slots.items()}
    state = "ReadyForFulfillment" if hook == "FulfillmentCodeHook" else "InProgress"
    meant = {"name": intent, "slots": filled, "state": state, "confirmationState": "None"}
    said = {
        "transcription": transcript,
        "transcriptionConfidence": 1.0,
        "resolvedContext": {"intent": intent},
        "resolvedSlots": filled,
    }
    return {
        "messageVersion": "1.0",
        "invocationSource": hook,
        "inputMode": "Text",
        "responseContentType": "text/plain; charset=utf-8",
        "sessionId": facts.digits(15),
        "inputTranscript": transcript,
        "bot": {
            "id": facts.characters(10, UPPER),
            "name": bot,
            "aliasId": "TSTALIASID",
            "aliasName": "TestBotAlias",
            "localeId": "en_US",
            "version": "DRAFT",
        },
        "interpretations": [{"intent": meant, "interpretationSource": "Lex", "nluConfidence": 1.0}],
        "sessionState": {"intent": meant, "sessionAttributes": {}, "originatingRequestId": facts.uuid()},
        "transcriptions": [said],
    }


def slot(value: str) -> Event:
    return {"shape": "Scalar", "value": {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]}}


def connect(
    parameters: Mapping[str, str] = NONE,
    *,
    attributes: Mapping[str, str] = NONE,
    phone: str = "+12065550100",
    origin: Origin = HERE,
) -> Event:
    """A call that has come to the block of a contact flow that invokes the function."""
    facts = origin.facts()
    contact = facts.uuid()
    data = {
        "Attributes": dict(attributes),
        "Channel": "VOICE",
        "ContactId": contact,
        "CustomerEndpoint": {"Address": phone, "Type": "TELEPHONE_NUMBER"},
        "CustomerId": None,
        "Description": None,
        "InitialContactId": contact,
        "InitiationMethod": "INBOUND",
        "InstanceARN": facts.arn("connect", f"instance/{facts.uuid()}"),
        "LanguageCode": "en-US",
        "MediaStreams": {"Customer": {"Audio": None}},
        "Name": None,
        "PreviousContactId": contact,
        "Queue": None,
        "References": {},
        "SystemEndpoint": {"Address": "+18005550100", "Type": "TELEPHONE_NUMBER"},
    }
    return {"Details": {"ContactData": data, "Parameters": dict(parameters)}, "Name": "ContactFlowEvent"}


def iot(payload: Mapping[str, object] = READING, *, topic: str = "", origin: Origin = HERE) -> Event:
    """What `SELECT *` makes of a message, and with `topic` `SELECT *, topic() AS topic, timestamp() AS timestamp`."""
    facts = origin.facts()
    return {**payload, **({"topic": topic, "timestamp": facts.milliseconds} if topic else {})}
