"""What `Ref` and `Fn::GetAtt` give for a resource: names and ARNs, as far as they are known before AWS makes them.

What AWS numbers itself (APIs, authorizers, layers, user pools) has its logical id in place of the number.

Source: AWS CloudFormation Template Reference Guide, "Return values" of each resource type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LAMBDA = ("AWS::Lambda::Function", "AWS::Serverless::Function")
LAYERS = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")

NAMED_BY = {
    **dict.fromkeys(LAMBDA, "FunctionName"),
    **dict.fromkeys(
        ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::Serverless::SimpleTable"), "TableName"
    ),
    **dict.fromkeys(("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"), "StateMachineName"),
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Events::EventBus": "Name",
    "AWS::Kinesis::Stream": "Name",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::SSM::Parameter": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
}
"""The property that names a resource; without it AWS makes a name up."""

ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::DynamoDB::GlobalTable": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Serverless::SimpleTable": "dynamodb:{region}:{account}:table/{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "AWS::Serverless::StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Kinesis::Stream": "kinesis:{region}:{account}:stream/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:{region}:{account}:deliverystream/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Cognito::UserPool": "cognito-idp:{region}:{account}:userpool/{name}",
    **dict.fromkeys(LAMBDA, "lambda:{region}:{account}:function:{name}"),
    **dict.fromkeys(LAYERS, "lambda:{region}:{account}:layer:{name}:1"),
}

REF_IS_ARN = ("AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine", *LAYERS)
REF_IS_ARN_TOO = ("AWS::Serverless::StateMachine",)

HERE = (*LAMBDA, *LAYERS)
"""Types whose names are as good as AWS's, whatever they are: only what is here refers to them."""


class Identity(NamedTuple):
    """A resource as others name it."""

    id: str
    """Its logical one."""
    type: str
    name: str
    partition: str
    region: str
    account: str

    @property
    def arn(self) -> str | None:
        form = ARNS.get(self.type)
        return f"arn:{self.partition}:{form.format_map(self._asdict())}" if form else None

    def ref(self) -> str:
        if self.type in (*REF_IS_ARN, *REF_IS_ARN_TOO):
            return self.arn or self.id
        if self.type == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name}"
        return self.name if self.type in NAMED_BY else self.id

    def attribute(self, name: str) -> str | None:
        """None: only AWS knows."""
        own: Mapping[str, str | None] = {
            "Arn": self.arn,
            "TopicArn": self.arn,
            "LayerVersionArn": self.arn,
            "FunctionArn": self.arn,
            "QueueName": self.name,
            "TopicName": self.name,
            "Name": self.name,
            "QueueUrl": self.ref(),
            "RootResourceId": f"{self.id}/",
            "RestApiId": self.id,
            "ApiId": self.id,
            "AuthorizerId": self.id,
            "ResourceId": self.id,
            "DomainName": f"{self.name}.s3.amazonaws.com" if self.type == "AWS::S3::Bucket" else None,
            "RegionalDomainName": (
                f"{self.name}.s3.{self.region}.amazonaws.com" if self.type == "AWS::S3::Bucket" else None
            ),
            "ProviderName": f"cognito-idp.{self.region}.amazonaws.com/{self.id}",
            "UserPoolId": self.id,
        }
        return own.get(name)
