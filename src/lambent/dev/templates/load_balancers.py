"""Rules of listeners that lead to functions. All listeners of a file are one entrance. Pure.

Source: AWS CloudFormation Template Reference Guide, `AWS::ElasticLoadBalancingV2::…`.
"""

from __future__ import annotations

from itertools import product

from lambent.dev.templates.parts import EntrancePart, RoutePart
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack

CONDITIONS = {
    "path-pattern": ("PathPatternConfig", "$default"),
    "http-request-method": ("HttpRequestMethodConfig", "ANY"),
    "host-header": ("HostHeaderConfig", ""),
}
"""Fields, each with where its values may stand, and what it is where nothing is said of it."""

MULTI = "lambda.multi_value_headers.enabled"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


def rule(resource: Resource, stack: Stack) -> None:
    """`AWS::ElasticLoadBalancingV2::ListenerRule`."""
    own = resource.properties
    own.skip("ListenerArn", "Tags", "Transforms")
    conditions: dict[str, tuple[str, ...]] = {}
    for condition in own.tables("Conditions"):
        field = condition.text("Field")
        if field not in CONDITIONS:
            resource.place.note(f"conditions on {field} are not understood here; the rule is left out.")
            own.skip(*own.keys())
            return
        values = condition.texts("Values") or condition.table(CONDITIONS[field][0]).texts("Values")
        conditions[field] = (*conditions.get(field, ()), *values)
    add(own.tables("Actions"), conditions, own.number("Priority"), resource, stack)


def listener(resource: Resource, stack: Stack) -> None:
    """`AWS::ElasticLoadBalancingV2::Listener`: its default action comes after all rules."""
    own = resource.properties
    actions = own.tables("DefaultActions")
    own.skip(*own.keys())
    if any(target_group(action) for action in actions):
        add(actions, {}, None, resource, stack)


def add(
    actions: list[Properties],
    conditions: dict[str, tuple[str, ...]],
    priority: int | None,
    resource: Resource,
    stack: Stack,
) -> None:
    group = next(filter(None, map(target_group, actions)), "")
    found = stack.find(group, GROUP)
    targets = [target.text("Id") for target in found.properties.tables("Targets")] if found else []
    if not found or found.properties.text("TargetType") != "lambda" or len(targets) != 1:
        resource.place.note("it does not lead to one function; left out.")
        return
    entrance = balancer(found.properties, resource, stack)
    choices = (conditions.get(field) or (default,) for field, (_, default) in CONDITIONS.items())
    for path, method, host in product(*choices):
        route = RoutePart(entrance.id, method, path, targets[0], resource.place, priority=priority, host=host)
        stack.parts.routes.append(route)


def target_group(action: Properties) -> str:
    """Where an action forwards to: a logical id; empty if it does something else."""
    several = action.table("ForwardConfig").tables("TargetGroups")
    return action.text("TargetGroupArn") or (several[0].text("TargetGroupArn") if len(several) == 1 else "")


def balancer(group: Properties, resource: Resource, stack: Stack) -> EntrancePart:
    attributes = {each.text("Key"): each.text("Value") for each in group.tables("TargetGroupAttributes")}
    kind = "alb-multi" if attributes.get(MULTI) == "true" else "alb"
    made = EntrancePart(stack.id(kind), kind, "load-balancer", resource.place)
    return stack.parts.entrances.setdefault(made.id, made)


def group(resource: Resource, _stack: Stack) -> None:
    """`AWS::ElasticLoadBalancingV2::TargetGroup`: rules read it."""
    resource.properties.skip(*resource.properties.keys())
