"""A stack for each front door: `cdk deploy hello-http-api`, and so on."""

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack, TimeZone
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration, WebSocketLambdaIntegration

ZIP = "../app/dist/hello.zip"
"""What `lambent build` in ../app has made. For `lambent dev`: `cdk synth -c code=../app`."""


class Hello(lambda_.Function):
    """What the functions of all stacks have in common."""

    def __init__(self, stack: Stack, handler: str, timeout: int, **environment: str) -> None:
        log_group = logs.LogGroup(  # one that Lambda makes would keep its lines for ever
            stack, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        # in place of the CDK's own role, which may write to every log group
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        super().__init__(
            stack,
            "Hello",
            code=lambda_.Code.from_asset(stack.node.try_get_context("code") or ZIP),
            handler=handler,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,  # what the zip was built for
            memory_size=512,  # CPU comes with it: less starts slower
            timeout=Duration.seconds(timeout),
            # Lambent's own runtime, from the zip
            environment={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/lambent/exec/wrapper", **environment},
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=log_group,
            role=role,
        )


class HttpApi(Stack):
    """A function behind an HTTP API."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "hello-http-api")
        hello = Hello(self, "hello.web.handler", timeout=29)  # an HTTP API waits for 30 seconds, and no longer
        # every method and path
        api = gateway.HttpApi(self, "Api", default_integration=HttpLambdaIntegration("Any", hello))
        CfnOutput(self, "Url", value=api.api_endpoint)


class FunctionUrl(Stack):
    """A function with an address of its own, which streams its responses."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "hello-function-url")
        # up to 900: a Function URL has no limit of its own
        hello = Hello(self, "hello.web.handler", timeout=300, LAMBENT_STREAM="1")
        url = hello.add_function_url(
            auth_type=lambda_.FunctionUrlAuthType.NONE,  # public; AWS_IAM takes signed requests only
            invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,  # one side; LAMBENT_STREAM is the other
        )
        CfnOutput(self, "Url", value=url.url)


class WebSocket(Stack):
    """A WebSocket API, and a table for what is kept of its connections."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "hello-websocket")
        connections = dynamodb.Table(  # keys as `lambent stores init dynamodb://...` makes them
            self,
            "Connections",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires",  # of those whose $disconnect never came
            removal_policy=RemovalPolicy.DESTROY,  # connections do not outlive their API
        )
        store = f"dynamodb://{connections.table_name}"
        hello = Hello(
            self, "hello.sockets.handler", timeout=29, LAMBENT_STORE=store
        )  # 29 is what a WebSocket API waits
        connections.grant(hello, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query")
        route = gateway.WebSocketRouteOptions(integration=WebSocketLambdaIntegration("Routes", hello))
        api = gateway.WebSocketApi(
            self, "Socket", connect_route_options=route, default_route_options=route, disconnect_route_options=route
        )
        stage = gateway.WebSocketStage(
            self,
            "Live",
            web_socket_api=api,
            stage_name="live",
            auto_deploy=True,
            # in place of the account's, which one client could use up
            throttle=gateway.ThrottleSettings(burst_limit=100, rate_limit=50),
        )
        stage.grant_management_api_access(hello)  # to send to clients, and close their connections
        CfnOutput(self, "Url", value=stage.url)


class Queue(Stack):
    """A queue, and a function for its messages; those that fail come again, alone."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "hello-sqs")
        hello = Hello(self, "hello.jobs.handler", timeout=60)  # for a whole batch
        failed = sqs.Queue(  # what failed five times
            self,
            "Failed",
            retention_period=Duration.days(14),  # the longest
            removal_policy=RemovalPolicy.RETAIN,
        )
        orders = sqs.Queue(
            self,
            "Orders",
            visibility_timeout=Duration.seconds(360),  # six times the function's: less delivers messages twice
            dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=5),
            removal_policy=RemovalPolicy.RETAIN,  # there may be messages in it
        )
        hello.add_event_source(  # which lets the function receive and delete messages
            sources.SqsEventSource(
                orders,
                batch_size=10,
                report_batch_item_failures=True,  # without it one failure would bring back all ten
                max_concurrency=10,  # environments at a time; without it, as many as there are messages for
            )
        )
        CfnOutput(self, "Url", value=orders.queue_url, description="Where orders are sent, with `aws sqs send-message`")
        CfnOutput(self, "FailedUrl", value=failed.queue_url)


class Schedule(Stack):
    """A function that runs each night."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "hello-schedule")
        hello = Hello(self, "hello.jobs.handler", timeout=300)  # nobody waits for it
        # when the function fails; Lambda's own number is 2
        hello.configure_async_invoke(retry_attempts=1, max_event_age=Duration.hours(1))
        scheduler.Schedule(
            self,
            "Nightly",
            schedule=scheduler.ScheduleExpression.cron(
                hour="2",
                minute="30",
                time_zone=TimeZone.of("Europe/Berlin"),  # with its summer time
            ),
            time_window=scheduler.TimeWindow.flexible(Duration.minutes(15)),  # at 2:30 start the jobs of many
            # when the function cannot be reached
            target=targets.LambdaInvoke(hello, retry_attempts=3, max_event_age=Duration.hours(1)),
        )
        CfnOutput(
            self, "Function", value=hello.function_name, description="For a run by hand, with `aws lambda invoke`"
        )


app = App()
for stack in (HttpApi, FunctionUrl, WebSocket, Queue, Schedule):
    stack(app)
app.synth()
