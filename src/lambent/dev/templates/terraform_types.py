"""Which of Terraform's resource types and arguments are which of CloudFormation's. Pure.

Source: registry.terraform.io/providers/hashicorp/aws/latest/docs.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A resource type. Arguments that are not listed are said nothing of."""

    type: str
    """CloudFormation's."""
    arguments: str
    """Each as CloudFormation has it but for the spelling, or as `theirs=Ours`."""
    blocks: str = ""
    """Likewise, of nested blocks of which there is one at most."""
    references: str = ""
    """Likewise, of arguments that name other resources: by id, name or ARN."""


KINDS = {
    "aws_lambda_function": Kind(
        "AWS::Lambda::Function",
        "function_name handler runtime timeout memory_size package_type architectures "
        "reserved_concurrent_executions file_system_config=FileSystemConfigs image_uri",
        "environment dead_letter_config snap_start logging_config",
        "layers",
    ),
    "aws_lambda_layer_version": Kind("AWS::Lambda::LayerVersion", "layer_name"),
    "aws_lambda_alias": Kind("AWS::Lambda::Alias", "name", "", "function_name"),
    "aws_lambda_function_url": Kind(
        "AWS::Lambda::Url", "authorization_type=AuthType invoke_mode", "cors", "function_name=TargetFunctionArn"
    ),
    "aws_lambda_function_event_invoke_config": Kind(
        "AWS::Lambda::EventInvokeConfig",
        "maximum_event_age_in_seconds maximum_retry_attempts",
        "destination_config",
        "function_name",
    ),
    "aws_lambda_event_source_mapping": Kind(
        "AWS::Lambda::EventSourceMapping",
        "batch_size maximum_batching_window_in_seconds enabled function_response_types",
        "scaling_config filter_criteria",
        "event_source_arn function_name",
    ),
    "aws_sqs_queue": Kind("AWS::SQS::Queue", "name=QueueName visibility_timeout_seconds=VisibilityTimeout"),
    "aws_sns_topic": Kind("AWS::SNS::Topic", "name=TopicName"),
    "aws_apigatewayv2_api": Kind(
        "AWS::ApiGatewayV2::Api",
        "protocol_type route_key route_selection_expression api_key_selection_expression body",
        "cors_configuration",
        "target",
    ),
    "aws_apigatewayv2_integration": Kind(
        "AWS::ApiGatewayV2::Integration",
        "integration_type integration_subtype payload_format_version timeout_milliseconds=TimeoutInMillis",
        "",
        "api_id integration_uri",
    ),
    "aws_apigatewayv2_route": Kind(
        "AWS::ApiGatewayV2::Route",
        "route_key authorization_type authorization_scopes api_key_required route_response_selection_expression",
        "",
        "api_id target authorizer_id",
    ),
    "aws_apigatewayv2_route_response": Kind(
        "AWS::ApiGatewayV2::RouteResponse", "route_response_key", "", "api_id route_id"
    ),
    "aws_apigatewayv2_authorizer": Kind(
        "AWS::ApiGatewayV2::Authorizer",
        "authorizer_type name identity_sources=IdentitySource authorizer_payload_format_version "
        "authorizer_result_ttl_in_seconds enable_simple_responses",
        "jwt_configuration",
        "api_id authorizer_uri",
    ),
    "aws_apigatewayv2_stage": Kind(
        "AWS::ApiGatewayV2::Stage", "name=StageName stage_variables default_route_settings route_settings", "", "api_id"
    ),
    "aws_apigatewayv2_api_mapping": Kind("AWS::ApiGatewayV2::ApiMapping", "api_mapping_key", "", "api_id"),
    "aws_api_gateway_rest_api": Kind(
        "AWS::ApiGateway::RestApi", "body binary_media_types api_key_source=ApiKeySourceType"
    ),
    "aws_api_gateway_resource": Kind("AWS::ApiGateway::Resource", "path_part", "", "rest_api_id parent_id"),
    "aws_api_gateway_method": Kind(
        "AWS::ApiGateway::Method",
        "http_method authorization=AuthorizationType authorization_scopes api_key_required",
        "",
        "rest_api_id resource_id authorizer_id",
    ),
    "aws_api_gateway_integration": Kind(
        "",
        "http_method type timeout_milliseconds=TimeoutInMillis response_transfer_mode",
        "",
        "rest_api_id resource_id uri",
    ),
    "aws_api_gateway_integration_response": Kind("", "http_method response_parameters", "", "rest_api_id resource_id"),
    "aws_api_gateway_stage": Kind("AWS::ApiGateway::Stage", "stage_name variables", "", "rest_api_id"),
    "aws_api_gateway_deployment": Kind("AWS::ApiGateway::Deployment", "stage_name", "", "rest_api_id"),
    "aws_api_gateway_authorizer": Kind(
        "AWS::ApiGateway::Authorizer",
        "name type identity_source identity_validation_expression authorizer_result_ttl_in_seconds",
        "",
        "rest_api_id authorizer_uri provider_arns=ProviderARNs",
    ),
    "aws_api_gateway_api_key": Kind("AWS::ApiGateway::ApiKey", "name value enabled"),
    "aws_api_gateway_base_path_mapping": Kind("AWS::ApiGateway::BasePathMapping", "base_path", "", "api_id=RestApiId"),
    "aws_cloudwatch_event_rule": Kind("AWS::Events::Rule", "schedule_expression event_pattern state"),
    "aws_cloudwatch_event_target": Kind("", "input", "input_transformer", "rule arn"),
    "aws_scheduler_schedule": Kind(
        "AWS::Scheduler::Schedule", "schedule_expression schedule_expression_timezone state", "target"
    ),
    "aws_lb_target_group": Kind("AWS::ElasticLoadBalancingV2::TargetGroup", "target_type"),
    "aws_lb_target_group_attachment": Kind("", "", "", "target_group_arn target_id=Id"),
    "aws_lb_listener_rule": Kind("AWS::ElasticLoadBalancingV2::ListenerRule", "priority"),
    "aws_lb_listener": Kind("AWS::ElasticLoadBalancingV2::Listener", ""),
}
"""Without a type: part of another resource in CloudFormation."""

KINDS |= {name.replace("aws_lb", "aws_alb"): kind for name, kind in KINDS.items() if name.startswith("aws_lb")}

OF_NO_CONSEQUENCE = (
    "aws_iam_",
    "aws_cloudwatch_log",
    "aws_cloudwatch_metric",
    "aws_lambda_permission",
    "aws_lambda_layer_version_permission",
    "aws_lambda_provisioned_concurrency_config",
    "aws_lb",
    "aws_alb",
    "aws_api_gateway_account",
    "aws_api_gateway_domain_name",
    "aws_api_gateway_gateway_response",
    "aws_api_gateway_method_response",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_usage_plan",
    "aws_api_gateway_rest_api_policy",
    "aws_apigatewayv2_deployment",
    "aws_apigatewayv2_domain_name",
    "aws_apigatewayv2_integration_response",
    "aws_apigatewayv2_model",
    "aws_acm_",
    "aws_kms_",
    "aws_route53_",
    "aws_s3_bucket_",
    "aws_s3_object",
    "aws_sqs_queue_policy",
    "aws_sns_topic_policy",
    "aws_security_group",
    "aws_subnet",
    "aws_vpc",
)
"""Beginnings of types that are read nowhere, and of which nothing is missed here."""

NESTED_REFERENCES = {
    "aws_lambda_function": ("dead_letter_config.target_arn",),
    "aws_lambda_function_event_invoke_config": (
        "destination_config.on_success.destination",
        "destination_config.on_failure.destination",
    ),
    "aws_scheduler_schedule": ("target.arn",),
    "aws_apigatewayv2_authorizer": ("jwt_configuration.issuer",),
}
"""Arguments within blocks that name other resources."""


def ours(listed: str) -> dict[str, str]:
    """`memory_size name=QueueName` → Terraform's names and CloudFormation's."""
    pairs = (each.partition("=") for each in listed.split())
    return {theirs: own or camel(theirs) for theirs, _, own in pairs}


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
